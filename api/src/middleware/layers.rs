//! The layers that apply rate limits to routes without a key, and to wrong keys. Authenticated callers are exempt, as is
//! loopback when no key is configured.

use std::{net::IpAddr, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::problem::ProblemCode;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use web::{
    Peer,
    auth::carries_a_key,
    middleware::{IngestFields, RateLimit, rate_limit::retry_after},
};

use crate::{app::App, problem::Problem};

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
