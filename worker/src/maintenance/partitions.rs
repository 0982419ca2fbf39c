//! Partitions of the days to come, on Postgres. Without them rows would pile up in the default partitions.

use std::time::Duration;

use entity::partition::ahead::{Missing, Tried, missing, try_to_make};
use platform::{
    context::Context,
    database::{Database, DatabaseError, Pool},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(3600);
/// Interval after a failed creation.
const RETRY_INTERVAL: Duration = Duration::from_secs(300);
/// Days made ahead.
const AHEAD: i32 = 7;
/// Tries of one partition, and the wait between two.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// What a look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partitions {
    /// Partitions that were made.
    pub made: usize,
    /// Partitions that are missing still.
    pub missing: usize,
    /// Partitions that another worker makes, or has made meanwhile.
    pub elsewhere: usize,
}

/// Makes partitions ahead until `stop`.
pub async fn partitions(context: Context, stop: CancellationToken) {
    let Pool::Postgres(_) = context.database.pool() else { return };
    while !stop.is_cancelled() {
        let made = stop.run_until_cancelled(make_partitions(&context.database, AHEAD)).await;
        let pause = match made {
            None => return,
            Some(Ok(Partitions { missing: 0, elsewhere: 0, .. })) => EVERY,
            Some(Ok(Partitions { missing: 0, .. })) => RETRY_INTERVAL,
            Some(Ok(Partitions { missing, .. })) => {
                warn!(missing, "partitions were not made ahead, as their tables are in use (a backup?)");
                RETRY_INTERVAL
            }
            Some(Err(error)) => {
                warn!(%error, "partitions were not made ahead; rows go to the default partition");
                RETRY_INTERVAL
            }
        };
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

/// Makes the partitions of today and of `ahead` days that are missing. Waits for no lock longer than 100 ms at a time.
///
/// # Errors
/// Those of the database but for locks that can't be had.
pub async fn make_partitions(database: &Database, ahead: i32) -> Result<Partitions, DatabaseError> {
    let mut looked = Partitions::default();
    for partition in missing(database, ahead).await? {
        match make(database, &partition).await? {
            Tried::Made => {
                info!(partition = partition.name(), "a partition was made");
                looked.made += 1;
            }
            Tried::Busy => looked.missing += 1,
            Tried::Elsewhere => looked.elsewhere += 1,
            Tried::InDefault => {
                warn!(
                    partition = partition.name(),
                    "a partition was not made: rows of its day are in the default partition"
                );
            }
        }
    }
    Ok(looked)
}

async fn make(database: &Database, partition: &Missing) -> Result<Tried, DatabaseError> {
    for number in 1.. {
        match try_to_make(database, partition).await? {
            Tried::Busy if number < TRIES => tokio::time::sleep(BETWEEN_TRIES).await,
            tried => return Ok(tried),
        }
    }
    Ok(Tried::Busy)
}
