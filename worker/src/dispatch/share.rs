//! How much of one lane may be under way: half of the send slots of all workers, a quarter that is sent and as much again
//! that comes next. Read from their heartbeats.

use std::time::Duration;

use domain::job::QueueName;
use entity::process;
use platform::{context::Context, database::DatabaseError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::time::Instant;

/// How often the heartbeats are read.
const EVERY: Duration = Duration::from_secs(5);
/// Silent for so long, a worker's slots do not count.
const SILENT: Duration = Duration::from_secs(20);
/// The least, however few slots there are: what a look takes of a lane.
const LEAST: usize = 64;

/// What the workers have, as it was read last.
#[derive(Default)]
pub(super) struct Workers {
    slots: usize,
    read_at: Option<Instant>,
}

/// What of one lane may be under way with so many slots.
pub(super) fn of_a_lane(slots: usize) -> usize {
    (slots / 2).max(LEAST)
}

impl Workers {
    /// What of one lane may be under way now. A database that does not answer leaves it as it was.
    pub(super) async fn share(&mut self, context: &Context) -> usize {
        if self.read_at.is_none_or(|at| at.elapsed() >= EVERY) {
            self.slots = slots(context).await.unwrap_or(self.slots);
            self.read_at = Some(Instant::now());
        }
        of_a_lane(self.slots.max(context.config.send_slots))
    }
}

async fn slots(context: &Context) -> Result<usize, DatabaseError> {
    let since = context.clock.now().0.saturating_sub(domain::clock::millis(SILENT));
    let workers = process::Entity::find().filter(process::Column::SeenAt.gt(since)).select_only();
    let workers = workers.column(process::Column::Slots).column(process::Column::Queues);
    let rows: Vec<(i32, String)> = workers.into_tuple().all(context.database.reader()).await?;
    let sends = |queues: &str| queues.split(',').any(|queue| queue == QueueName::Deliveries.as_str());
    Ok(rows
        .iter()
        .filter(|(_, queues)| sends(queues))
        .filter_map(|(slots, _)| usize::try_from(*slots).ok())
        .sum())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_lane_may_have_half_and_never_less_than_a_look_takes() {
        for (slots, share) in [(1, 64), (129, 64), (130, 65), (1_024, 512), (4_096, 2_048)] {
            assert_eq!(super::of_a_lane(slots), share, "{slots} slots");
        }
    }
}
