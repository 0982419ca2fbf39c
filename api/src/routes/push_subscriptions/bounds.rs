//! How many new subscriptions callers without a key may make: per address and day, and in total as long as no message has
//! reached them.

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::problem::ProblemCode;
use tokio::time::Instant;

use super::store;
use crate::{app::App, problem::Problem};

/// How long a count of the database holds. The bound may be passed by what several processes take in meanwhile.
const COUNTED_FOR: Duration = Duration::from_secs(10);

/// The subscriptions that no message has reached, as last counted, and those that were made since.
#[derive(Default)]
pub(crate) struct Unreached {
    counted: Mutex<Option<(Instant, u64)>>,
}

/// Counts a new subscription from this address, or returns the time after which the address may make one.
///
/// # Errors
/// 503 when too many in total have not been reached.
pub(super) async fn admit(app: &App, address: IpAddr) -> Result<Result<(), Duration>, Problem> {
    let most = app.limits.unreached_subscriptions;
    if app.unreached.count(app, most).await? >= most {
        let detail = "too many subscriptions have not been reached by a message yet; try again later";
        return Err(Problem::new(ProblemCode::Unavailable, detail));
    }
    let admitted = app.rate_limits.subscriptions.check(address);
    if admitted.is_ok() {
        app.unreached.add_one();
    }
    Ok(admitted)
}

impl Unreached {
    async fn count(&self, app: &App, most: u64) -> Result<u64, Problem> {
        let known = *self.counted();
        if let Some((at, count)) = known
            && at.elapsed() < COUNTED_FOR
        {
            return Ok(count);
        }
        let count = store::unreached(app, most).await?;
        *self.counted() = Some((Instant::now(), count));
        Ok(count)
    }

    fn add_one(&self) {
        if let Some((_, count)) = self.counted().as_mut() {
            *count += 1;
        }
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, Option<(Instant, u64)>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
