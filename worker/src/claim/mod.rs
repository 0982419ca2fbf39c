//! Claim: deliveries that are due and not leased become this worker's for the length of a lease, lane by lane. Retries,
//! resumed endpoints, replays, backlogs, limited lanes, lost jobs and the work of dead workers all come this way.

mod claimed;
mod claimer;
mod limited;
mod limits;
mod postgres;
mod recheck;
mod recipients;
mod scan;
mod sqlite;

use std::time::Duration;

use domain::{clock::millis, job::LEASE};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, WritePermit, within_deadline},
    telemetry::names,
};
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use crate::{endpoints::EndpointCache, lanes::Holder};

pub use claimed::Claimed;
pub use claimer::Claimer;
pub use limits::DRAIN_A_SECOND;
pub use recheck::Recheck;
pub use recipients::{Chat, Recipient, Subscriber, Subscription};
pub use scan::{Gate, LANES_A_SCAN, Scan};

/// Most deliveries of one claim.
pub const BATCH: usize = 512;

/// What is to be claimed of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The lane, and whom its slots count for.
    pub holder: Holder,
    /// Deliveries, at most.
    pub rows: usize,
    /// Whether its limits are computed under its lock.
    pub gate: Gate,
}

/// What a claim came to.
#[derive(Debug, Default)]
pub struct Claims {
    /// The deliveries, each leased to this process.
    pub claimed: Vec<Claimed>,
    /// Limited lanes that have more as soon as their rate allows it.
    pub again: Vec<(Uuid, Duration)>,
}

impl Claims {
    /// How many deliveries a lane gave.
    #[must_use]
    pub fn of_lane(&self, lane: Uuid) -> usize {
        self.claimed.iter().filter(|delivery| delivery.lane_id == lane).count()
    }
}

/// The times of a claim, in ms.
#[derive(Clone, Copy)]
struct Times {
    /// SQLite: now. Postgres: an offset that is added to the server's clock.
    now_or_offset: i64,
    lease: i64,
}

impl Times {
    fn of(context: &Context) -> Self {
        Self { now_or_offset: context.database.statement_time(&context.clock), lease: millis(LEASE) }
    }
}

/// Looks at the lanes behind `after` that have open deliveries, at most [`LANES_A_SCAN`], and says of which something is due.
///
/// # Errors
/// Those of the database.
pub async fn scan(context: &Context, after: Uuid) -> Result<Scan, DatabaseError> {
    scan::scan(context, after).await
}

/// Claims the oldest due deliveries of each of these lanes that have no live lease. A lane that is paused, rests or whose
/// breaker is open gives nothing; one with a limit gives what the limit allows, with its row locked.
///
/// # Errors
/// Those of the database; then nothing was claimed, or what was is free again when its lease ends.
pub async fn claim(
    context: &Context,
    endpoints: &EndpointCache,
    wanted: &[Wanted],
) -> Result<Claims, DatabaseError> {
    if wanted.is_empty() {
        return Ok(Claims::default());
    }
    claim_in_turn(context, endpoints, context.database.write_permit().await?, wanted).await
}

async fn claim_in_turn(
    context: &Context,
    endpoints: &EndpointCache,
    turn: WritePermit,
    wanted: &[Wanted],
) -> Result<Claims, DatabaseError> {
    let (open, limited): (Vec<Wanted>, Vec<Wanted>) =
        wanted.iter().partition(|wanted| wanted.gate == Gate::Open);
    // Before the statement: what it takes is taken off the leases.
    let (times, ends) = (Times::of(context), Instant::now() + LEASE);
    let mut claims = Claims::default();
    if !open.is_empty() {
        claims.claimed = match turn {
            WritePermit::Postgres(pool) => within_deadline(postgres::claim(&pool, &open, times)).await?,
            WritePermit::Sqlite(writer) => sqlite::claim(writer, &open, times).await?,
        };
    } else {
        drop(turn);
    }
    if !limited.is_empty() {
        match claim_limited(context, &limited, times).await {
            Ok(granted) => {
                claims.claimed.extend(granted.claimed);
                claims.again = granted.again;
            }
            Err(error) if claims.claimed.is_empty() => return Err(error),
            Err(error) => {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, "nothing was claimed of limited lanes; the next claim follows");
            }
        }
    }
    claims.claimed = recipients::attach(context, endpoints, claims.claimed).await;
    claims.claimed.iter_mut().for_each(|delivery| delivery.lease_ends = Some(ends));
    Ok(claims)
}

async fn claim_limited(context: &Context, limited: &[Wanted], times: Times) -> Result<Claims, DatabaseError> {
    Ok(match context.database.grouped() {
        Pool::Postgres(pool) => within_deadline(limited::postgres::claim(pool, limited, times)).await?,
        Pool::Sqlite(pool) => limited::sqlite::claim(pool, limited, times).await?,
    })
}

/// Ends every lease: only for a process that is the database's only worker, at its start.
///
/// # Errors
/// Those of the database.
pub async fn free_all(context: &Context) -> Result<u64, DatabaseError> {
    match context.database.pool() {
        Pool::Postgres(_) => Ok(0),
        Pool::Sqlite(pool) => Ok(sqlite::free_all(pool).await?),
    }
}

fn as_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
