//! Claim: deliveries that are due and not leased become this worker's for the length of a lease, lane by lane. Retries,
//! resumed endpoints, replays, backlogs, limited lanes, lost jobs and the work of dead workers all come this way.

mod claimed;
mod claimer;
mod limited;
mod limits;
mod recheck;
mod recipient;
mod recipients;

use std::time::Duration;

use domain::job::LEASE;
use entity::delivery::claim::{self as stored, ClaimedRow, LaneClaim};
use platform::{
    context::Context,
    database::{DatabaseError, WritePermit, within_deadline},
    telemetry::names,
};
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use crate::{endpoints::EndpointCache, lanes::Holder};

pub use claimed::Claimed;
pub use claimer::Claimer;
pub use entity::lane::scan::{Gate, LANES_A_SCAN, Scan};
pub use limits::DRAIN_A_SECOND;
pub use recheck::Recheck;
pub use recipient::{Chat, Recipient, Subscriber, Subscription};

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
    pub fn count_of(&self, lane: Uuid) -> usize {
        self.claimed.iter().filter(|delivery| delivery.lane_id == lane).count()
    }
}

/// Looks at the lanes behind `after` that have open deliveries, at most [`LANES_A_SCAN`], and returns those of which something
/// is due.
///
/// # Errors
/// Those of the database.
pub async fn scan(context: &Context, after: Uuid) -> Result<Scan, DatabaseError> {
    entity::lane::scan::scan(&context.database, &context.clock, after).await
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
    claim_with_permit(context, endpoints, context.database.write_permit().await?, wanted).await
}

async fn claim_with_permit(
    context: &Context,
    endpoints: &EndpointCache,
    permit: WritePermit,
    wanted: &[Wanted],
) -> Result<Claims, DatabaseError> {
    let (open, limited): (Vec<Wanted>, Vec<Wanted>) =
        wanted.iter().partition(|wanted| wanted.gate == Gate::Open);
    // Before the statement: what it takes is taken off the leases.
    let (time, ends) = (context.database.statement_time(&context.clock), Instant::now() + LEASE);
    let mut rows = claim_open(permit, &open, time).await?;
    let mut again = vec![];
    if !limited.is_empty() {
        match within_deadline(limited::claim(&context.database, &limited, time)).await {
            Ok(granted) => {
                rows.extend(granted.claimed);
                again = granted.again;
            }
            Err(error) if rows.is_empty() => return Err(error),
            Err(error) => {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, "nothing was claimed of limited lanes; the next claim follows");
            }
        }
    }
    let claimed = recipients::attach_recipients(context, endpoints, rows, ends).await;
    Ok(Claims { claimed, again })
}

async fn claim_open(
    permit: WritePermit,
    wanted: &[Wanted],
    time: i64,
) -> Result<Vec<ClaimedRow>, DatabaseError> {
    if wanted.is_empty() {
        // Given back: a transaction takes a permit of its own.
        drop(permit);
        return Ok(vec![]);
    }
    let claims = wanted.iter().map(|wanted| LaneClaim { lane: wanted.holder.lane, rows: wanted.rows });
    stored::claim(permit, &claims.collect::<Vec<_>>(), time).await
}
