//! Lanes that do not send: what waits for them too long or is too much, what no recipient takes any more, lanes that are not
//! used, and owners that are to be notified.
//! Safe in many workers at once: each batch is one transaction, and rows that another has locked are passed over.

mod deleted_endpoints;
mod disabled_notice;
mod ending;
mod endpoint_down;
mod held_limit;
mod unused_lanes;

use std::time::Duration;

use domain::delivery::HeldLimits;
use platform::{context::Context, database::DatabaseError, telemetry::names};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use deleted_endpoints::cancel_deleted;
pub use disabled_notice::notify_owners;
pub use endpoint_down::bury_endpoint_down;
pub use held_limit::bury_beyond_limits;
pub use unused_lanes::remove_unused;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(15);
/// Looks between two at the bounds, which walk along what is held.
const LOOKS_BETWEEN: u32 = 8;
/// Most deliveries that one transaction moves.
const BATCH: i64 = 1_000;
/// Most batches of one look at one rule: the next look goes on.
const BATCHES: usize = 100;

/// Looks until `stop`.
pub async fn lanes(context: Context, stop: CancellationToken) {
    for number in 0_u32.. {
        if stop.is_cancelled() {
            return;
        }
        let at_bounds = number.is_multiple_of(LOOKS_BETWEEN);
        let looked = stop.run_until_cancelled(Box::pin(look(&context, at_bounds))).await;
        if let Some(Err(error)) = looked {
            metrics::counter!(names::DATABASE_ERRORS).increment(1);
            warn!(%error, "lanes that do not send were not looked after; the next look goes on");
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

fn held_limits(context: &Context) -> HeldLimits {
    HeldLimits { max_deliveries: context.config.held_limit, ..HeldLimits::default() }
}

async fn look(context: &Context, at_bounds: bool) -> Result<(), DatabaseError> {
    let notified = notify_owners(context).await?;
    let cancelled = cancel_deleted(context).await?;
    let (mut down, mut beyond, mut removed) = (0, 0, 0);
    if at_bounds {
        removed = remove_unused(context).await?;
        down = bury_endpoint_down(context).await?;
        beyond = bury_beyond_limits(context, held_limits(context)).await?;
    }
    if notified + cancelled + down + beyond + removed > 0 {
        info!(
            notified,
            cancelled,
            endpoint_down = down,
            held_limit = beyond,
            removed,
            "looked after lanes that do not send"
        );
    }
    Ok(())
}
