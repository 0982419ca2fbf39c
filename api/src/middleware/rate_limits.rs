//! Rate limits by address for routes without a key, and for wrong keys. Authenticated callers are exempt, as is loopback
//! when no key is configured.

use std::{net::IpAddr, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::problem::ProblemCode;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use platform::clock::Clock;
use web::{
    Peer,
    auth::carries_a_key,
    middleware::{IngestFields, Rate, RateLimit, rate_limit::retry_after},
};

use crate::{app::App, problem::Problem};

/// Requests to public routes: 200 at once, then 50 a second.
const PUBLIC: Rate = Rate::new(200, Duration::from_millis(20));
/// Push messages that an address may ask for to test its subscription: 10 at once, then 10 a minute.
const PUSH_TESTS: Rate = Rate::new(10, Duration::from_secs(6));
/// The day over which the new push subscriptions of an address are bounded, in ms.
const DAY_MS: u64 = 24 * 3_600 * 1_000;
/// Most addresses that have subscribed; each is remembered for up to a day.
const SUBSCRIBING_ADDRESSES: usize = 65_536;

/// What each address has used up.
pub(crate) struct RateLimits {
    public: RateLimit,
    wrong_keys: RateLimit,
    push_tests: RateLimit,
    /// New push subscriptions.
    pub(crate) subscriptions: RateLimit,
}

impl RateLimits {
    /// Nothing is used up. An address may make `subscriptions_per_day` new push subscriptions at once, and as many again
    /// over a day.
    pub(crate) fn new(subscriptions_per_day: u32, clock: &Clock) -> Self {
        Self {
            public: RateLimit::new(PUBLIC, clock),
            wrong_keys: RateLimit::new(Rate::WRONG_KEYS, clock),
            push_tests: RateLimit::new(PUSH_TESTS, clock),
            subscriptions: RateLimit::new(subscriptions(subscriptions_per_day), clock),
        }
    }
}

fn subscriptions(per_day: u32) -> Rate {
    let every = Duration::from_millis(DAY_MS / u64::from(per_day.max(1)));
    Rate { addresses: SUBSCRIBING_ADDRESSES, ..Rate::new(per_day, every) }
}

/// The layer of public routes.
pub(crate) async fn limit_public_route(State(app): State<App>, request: Request, next: Next) -> Response {
    limit(&app, &app.rate_limits.public, request, next).await
}

/// The layer of public routes that send a message to a push service.
pub(crate) async fn limit_push_tests(State(app): State<App>, request: Request, next: Next) -> Response {
    limit(&app, &app.rate_limits.push_tests, request, next).await
}

async fn limit(app: &App, limit: &RateLimit, request: Request, next: Next) -> Response {
    match check(limit, app.authenticator.counted_address(&request)) {
        Ok(()) => next.run(request).await,
        Err(wait) => too_many(wait),
    }
}

/// The layer of signed ingest: only wrong signatures count, as requests to a public route do. A right one is never slowed,
/// whatever else comes from its address.
pub(crate) async fn rate_limit_bad_signatures(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let address = app.authenticator.counted_address(&request);
    let answer = next.run(request).await;
    if answer.status() != StatusCode::UNAUTHORIZED {
        return answer;
    }
    match check(&app.rate_limits.public, address) {
        Ok(()) => answer,
        Err(wait) => with_log_fields_of(answer, too_many(wait)),
    }
}

fn check(limit: &RateLimit, address: Option<IpAddr>) -> Result<(), Duration> {
    address.map_or(Ok(()), |address| limit.check(address))
}

/// Keeps what the log says of the first answer.
fn with_log_fields_of(mut first: Response, mut answer: Response) -> Response {
    if let Some(fields) = first.extensions_mut().remove::<IngestFields>() {
        answer.extensions_mut().insert(fields);
    }
    answer
}

/// Around everything: one wrong key too many is answered 429. A right key is never counted.
pub(super) async fn limit_wrong_keys<Answer: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> Answer,
) -> Response {
    let address = Peer::address_of(&request).filter(|_| carries_a_key(request.headers()));
    let answer = next(request).await;
    let problem = answer.extensions().get::<Problem>();
    let is_wrong_key = problem.is_some_and(|problem| problem.code == ProblemCode::Unauthorized);
    match check(&app.rate_limits.wrong_keys, address.filter(|_| is_wrong_key)) {
        Ok(()) => answer,
        Err(wait) => too_many(wait),
    }
}

/// 429, with the time to wait.
pub(crate) fn too_many(wait: Duration) -> Response {
    let (status, seconds) = (StatusCode::TOO_MANY_REQUESTS, retry_after(wait));
    let detail = format!("too many requests of this address, try again in {seconds} s");
    let mut answer = Problem::new(ProblemCode::of_status(status.as_u16()), detail).into_response();
    *answer.status_mut() = status;
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_subscriptions_of_an_address_are_bounded_by_the_day() {
        for (per_day, every_ms) in [(1, DAY_MS), (100, DAY_MS / 100), (1_000_000, 86)] {
            let rate = subscriptions(per_day);
            assert_eq!((rate.burst.get(), rate.every), (per_day, Duration::from_millis(every_ms)));
            assert_eq!(rate.addresses, SUBSCRIBING_ADDRESSES);
        }
    }
}
