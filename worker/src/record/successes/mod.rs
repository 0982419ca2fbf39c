//! Records of successes, which are most of them: never of anything else, and never where a lane has a failure to forget,
//! since that wants the lane's lock and a look at it. One way to the server in place of six on Postgres, one message to the
//! writer in place of ten on SQLite.

mod postgres;
mod sqlite;

use std::collections::BTreeMap;

use domain::delivery::{NextStep, Verdict};
use platform::database::{DatabaseError, Turn};
use uuid::Uuid;

use super::{
    rows::{AttemptRow, Ended, Tried},
    write::Moved,
};

/// A batch of which every send succeeded.
pub(super) struct Successes<'e> {
    rows: Vec<Tried<'e>>,
}

impl<'e> Successes<'e> {
    /// The batch, if it is one.
    pub(super) fn of(ended: &'e [Ended]) -> Option<Self> {
        let rows: Option<Vec<_>> = ended.iter().map(|ended| Some((ended, success(ended)?))).collect();
        rows.filter(|rows| !rows.is_empty()).map(|rows| Self { rows })
    }

    /// Writes and commits; none when nothing was written because a lane is not well. May be called again after any error:
    /// nothing is moved twice. `time` is that of the statement.
    pub(super) async fn record(&self, turn: Turn, time: i64) -> Result<Option<Moved>, DatabaseError> {
        let finished = match turn {
            Turn::Postgres(pool) => postgres::record(self, &pool, time).await?,
            Turn::Sqlite(writer) => sqlite::record(self, writer, time).await?,
        };
        Ok(finished.map(|finished| Moved { finished, ..Moved::default() }))
    }

    /// When the newest success of each lane started.
    fn lanes(&self) -> BTreeMap<Uuid, i64> {
        let mut lanes = BTreeMap::new();
        for (ended, _) in &self.rows {
            if let Some(send) = ended.lane {
                let newest = lanes.entry(ended.delivery.lane_id().0).or_insert(send.started_at.0);
                *newest = send.started_at.0.max(*newest);
            }
        }
        lanes
    }
}

/// The attempt of a send that succeeded and about which there is nothing more to say.
fn success(ended: &Ended) -> Option<&AttemptRow> {
    let attempt = ended.attempt.as_ref()?;
    let is_well = ended.lane.is_none_or(|send| send.verdict == Verdict::Succeeded);
    let is_plain = attempt.error_class.is_none() && attempt.error.is_none();
    let is_there = ended.recipient.left_at.is_none();
    (ended.next == NextStep::Succeed && is_well && is_plain && is_there).then_some(attempt)
}
