//! How many new subscriptions callers without a key may make: per address and day, and in total as long as no message has
//! reached them.

use std::{net::IpAddr, time::Duration};

use domain::problem::ProblemCode;

use super::store;
use crate::{app::App, problem::Problem};

/// Counts a new subscription from this address, or returns the time after which the address may make one.
///
/// # Errors
/// 503 when too many in total have not been reached.
pub(super) async fn admit(app: &App, address: IpAddr) -> Result<Result<(), Duration>, Problem> {
    let most = app.limits.unreached_subscriptions;
    if count(app, most).await? >= most {
        let detail = "too many subscriptions have not been reached by a message yet; try again later";
        return Err(Problem::new(ProblemCode::Unavailable, detail));
    }
    let admitted = app.rate_limits.subscriptions.check(address);
    if admitted.is_ok() {
        app.unreached.add_one();
    }
    Ok(admitted)
}

/// Returns the number of subscriptions that no message has reached, at most `most`.
async fn count(app: &App, most: u64) -> Result<u64, Problem> {
    if let Some(count) = app.unreached.known() {
        return Ok(count);
    }
    let count = store::unreached(app, most).await?;
    app.unreached.set(count);
    Ok(count)
}
