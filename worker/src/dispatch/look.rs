//! One look at what is due: takes rows that have no trusted hint and no live lease, and marks them as hinted.

use domain::{clock::millis, job::HINT_TRUSTED};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
};
use uuid::Uuid;

use super::{postgres, sqlite};

/// Most rows of one lane that a look takes.
pub(super) const ROWS_OF_A_LANE: i64 = 64;
/// Most lanes that a look passes.
pub(super) const LANES: i64 = 256;
/// How long a lane from which a look took all it may is known to have a backlog, in ms: accepts then do not hint it.
pub(super) const BACKLOG_MS: i64 = 3_000;

/// A due row that a look took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Found {
    /// Its id.
    pub id: Uuid,
    /// Its lane; an upload's endpoint.
    pub lane_id: Uuid,
    /// Whether its hint got lost or its worker died; otherwise it was simply due.
    pub rescued: bool,
}

/// What a look came to.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// What is due now, lane after lane; marked as hinted.
    pub found: Vec<Found>,
    /// The last lane it passed; none when it passed the last one there is.
    pub stopped_at: Option<Uuid>,
}

impl Look {
    /// The look that passed `lanes` and found these; a look whose room was used up stopped at the lane it was in.
    pub(super) fn of(lanes: &[Uuid], found: Vec<Found>, room: i64) -> Self {
        let place = |found: &Found| lanes.iter().position(|lane| *lane == found.lane_id);
        let stopped_at = if i64::try_from(found.len()).is_ok_and(|count| count >= room) {
            found.iter().filter_map(place).max().map(|place| lanes[place])
        } else if i64::try_from(lanes.len()).is_ok_and(|count| count >= LANES) {
            lanes.last().copied()
        } else {
            None
        };
        Self { found, stopped_at }
    }
}

/// Takes due deliveries of at most 256 lanes after `after`, at most 64 of a lane and `room` in all.
///
/// # Errors
/// Those of the database.
pub async fn deliveries(context: &Context, after: Uuid, room: usize) -> Result<Look, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let room = i64::try_from(room).unwrap_or(i64::MAX);
    Ok(match context.database.pool() {
        Pool::Postgres(pool) => {
            within_deadline(postgres::deliveries(pool, after, room, time, millis(HINT_TRUSTED))).await?
        }
        Pool::Sqlite(pool) => sqlite::deliveries(pool, after, room, time, millis(HINT_TRUSTED)).await?,
    })
}

/// Takes at most `room` due uploads, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn uploads(context: &Context, room: usize) -> Result<Vec<Found>, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let room = i64::try_from(room).unwrap_or(i64::MAX);
    Ok(match context.database.pool() {
        Pool::Postgres(pool) => {
            within_deadline(postgres::uploads(pool, room, time, millis(HINT_TRUSTED))).await?
        }
        Pool::Sqlite(pool) => sqlite::uploads(pool, room, time, millis(HINT_TRUSTED)).await?,
    })
}
