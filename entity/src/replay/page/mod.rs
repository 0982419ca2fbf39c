//! Pages of a replay: which one may go on and what comes next in its set, and the page as it is written.

mod postgres;
mod sqlite;

use domain::replay::AHEAD_MS;
use platform::database::{Database, DatabaseError, Pool, Tx, within_deadline};
use uuid::Uuid;

use crate::replay::{Model, queries::Candidate};

/// A page, decided before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Finished delivery, its successor's id, when that one is due (ms).
    pub rows: Vec<(Uuid, Uuid, i64)>,
    /// How many candidates were looked at.
    pub seen: i64,
    /// The last of them.
    pub cursor: Uuid,
    /// When the next new delivery may be due, in ms.
    pub next_at: i64,
    /// Whether nothing is left behind it.
    pub is_last: bool,
}

/// A replay that may go on. On Postgres its row is locked until the page is written; on SQLite it was read beside the writer,
/// so that a long search holds up no accept.
pub struct Next {
    /// The replay.
    pub replay: Model,
    /// What the page looks at, in the order of ids; none of a replay that this version can't read.
    pub candidates: Vec<Candidate>,
    /// The database's time, in ms.
    pub now: i64,
    tx: Option<Tx>,
}

/// Returns the replay that may go on and waited longest. Those that another worker has locked are skipped. `time` is what
/// `platform::database::Database::statement_time` gives.
///
/// # Errors
/// Those of the database.
pub async fn next(database: &Database, time: i64) -> Result<Option<Next>, DatabaseError> {
    Ok(match database.pool() {
        Pool::Postgres(_) => within_deadline(postgres::next(database, time)).await?,
        Pool::Sqlite(_) => sqlite::next(database.reader().get_sqlite_connection_pool(), time).await?,
    })
}

impl Next {
    /// Writes the page's deliveries and where the replay stands, and commits; returns how many deliveries were made. None are,
    /// and nothing is written, when the replay was paused or had a page made since it was read.
    ///
    /// # Errors
    /// Those of the database; then the page was not made, unless the commit's outcome is unknown: the row tells.
    pub async fn write(self, database: &Database, page: &Page) -> Result<Option<u64>, DatabaseError> {
        match self.tx {
            Some(tx) => within_deadline(write_locked(tx, &self.replay, page, self.now)).await.map(Some),
            None => write_if_unchanged(database, &self.replay, page, self.now).await,
        }
    }
}

async fn write_locked(mut tx: Tx, replay: &Model, page: &Page, now: i64) -> Result<u64, DatabaseError> {
    let count = match &mut tx {
        Tx::Postgres(tx) => postgres::write(tx, replay.id, page, now).await?,
        Tx::Sqlite(tx) => sqlite::write(tx, replay.id, page, now).await?,
    };
    tx.commit().await?;
    Ok(count)
}

async fn write_if_unchanged(
    database: &Database,
    replay: &Model,
    page: &Page,
    now: i64,
) -> Result<Option<u64>, DatabaseError> {
    let mut tx = database.begin().await?;
    if let Tx::Sqlite(sqlite) = &mut tx
        && !sqlite::stands(sqlite, replay).await?
    {
        tx.rollback().await?;
        return Ok(None);
    }
    write_locked(tx, replay, page, now).await.map(Some)
}

/// Replays whose next delivery is due within this time may go on, in ms.
const fn ahead_of(now: i64) -> i64 {
    now.saturating_add(AHEAD_MS)
}
