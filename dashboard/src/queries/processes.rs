//! The processes that run, by their heartbeats.

use std::time::Duration;

use domain::clock::Millis;
use entity::process::{Column, Entity, Model};
use sea_orm::{DatabaseConnection, DbErr, EntityTrait, QueryOrder, QuerySelect};

/// Most processes that a page shows.
const SHOWN: u64 = 100;
/// A process that was not seen for this long is lost.
const LOST_AFTER: Duration = Duration::from_secs(15);
/// A process that was not seen for this long is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// A process, and whether it is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// What it said of itself last.
    pub(crate) said: Model,
    /// Whether it has been silent for too long.
    pub(crate) lost: bool,
}

/// The processes that were started last and seen lately.
pub(crate) async fn load(db: &DatabaseConnection, now: Millis) -> Result<Vec<Process>, DbErr> {
    let started_last = Entity::find().order_by_desc(Column::Id).limit(SHOWN).all(db).await?;
    Ok(started_last.into_iter().filter_map(|said| judge(said, now)).collect())
}

fn judge(said: Model, now: Millis) -> Option<Process> {
    let silent = now.since(Millis(said.seen_at));
    (silent < FORGOTTEN_AFTER).then_some(Process { lost: silent >= LOST_AFTER, said })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ago_ms: i64) -> Option<bool> {
        let said = Model {
            id: uuid::Uuid::nil(),
            kind: "worker".to_owned(),
            name: "host:1".to_owned(),
            version: "0.1.0".to_owned(),
            queues: "deliveries".to_owned(),
            slots: 8,
            in_flight: 0,
            queue_ok: true,
            started_at: 0,
            seen_at: 10_000_000 - ago_ms,
        };
        judge(said, Millis(10_000_000)).map(|process| process.lost)
    }

    #[test]
    fn a_silent_process_is_lost_and_later_forgotten() {
        assert_eq!(seen(14_999), Some(false));
        assert_eq!(seen(15_000), Some(true));
        assert_eq!(seen(899_999), Some(true));
        assert_eq!(seen(900_000), None);
        assert_eq!(seen(-5_000), Some(false), "a clock that runs ahead is no loss");
    }
}
