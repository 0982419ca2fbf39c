//! Records of first attempts that succeeded, which are most of them: never of anything else, and never where a lane has a
//! failure to forget, since that wants the lane's lock and a look at it. One round trip to the server instead of six on
//! Postgres, one message to the writer instead of ten on SQLite.

mod postgres;
mod sqlite;

use std::collections::BTreeMap;

use domain::delivery::Verdict;
use platform::database::{DatabaseError, WritePermit};
use uuid::Uuid;

use super::rows::{AttemptRow, SendResultRow, Tried};

/// A batch of which every send succeeded.
pub struct Successes<'r> {
    rows: Vec<Tried<'r>>,
}

impl<'r> Successes<'r> {
    /// The batch, if every send of it succeeded at the first attempt and there is nothing else to record.
    #[must_use]
    pub fn from_batch(results: &'r [SendResultRow]) -> Option<Self> {
        let rows: Option<Vec<_>> = results.iter().map(|result| Some((result, success(result)?))).collect();
        rows.filter(|rows| !rows.is_empty()).map(|rows| Self { rows })
    }

    /// Writes and commits; returns how many deliveries were moved. None are when a lane is not well; fewer than all when
    /// another worker has taken over: what is missing then is the caller's to record. May be called again after any error:
    /// nothing is moved twice. `time` is that of the statement.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn record(&self, permit: WritePermit, time: i64) -> Result<u64, DatabaseError> {
        Ok(match permit {
            WritePermit::Postgres(pool) => postgres::record(self, &pool, time).await?,
            WritePermit::Sqlite(writer) => sqlite::record(self, writer, time).await?,
        })
    }

    /// When the newest success of each lane started.
    fn lanes(&self) -> BTreeMap<Uuid, i64> {
        let mut lanes = BTreeMap::new();
        for (result, _) in &self.rows {
            if let Some(send) = result.lane {
                let newest = lanes.entry(result.delivery.lane_id).or_insert(send.started_at.0);
                *newest = send.started_at.0.max(*newest);
            }
        }
        lanes
    }
}

/// The attempt of a first send that succeeded, when there is nothing else to record.
fn success(result: &SendResultRow) -> Option<&AttemptRow> {
    let attempt = result.kept_attempt()?;
    let is_well = result.lane.is_none_or(|send| send.verdict == Verdict::Succeeded);
    let has_news = result.recipient.left_at.is_some() || result.recipient.reached_at.is_some();
    (is_well && !has_news).then_some(attempt)
}
