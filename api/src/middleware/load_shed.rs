//! How much is taken on at once, and for how long. Health is asked and answered in any crowd.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::problem::ProblemCode;

use super::rate_limit;
use crate::{app::App, problem::Problem};

/// When a stranger with too much under way is asked to come again, in ms.
const AGAIN_MS: i64 = 1_000;

/// Refuses what would be more than the limit under way.
pub(super) async fn limit<Answer: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> Answer,
) -> Response {
    if request.uri().path().starts_with("/health") {
        return next(request).await;
    }
    // Callers with a key are bounded all together, strangers by address, too.
    let stranger = rate_limit::stranger(app, &request);
    let Some(_alone) = stranger.map_or(Some(None), |address| app.strangers.enter(address).map(Some)) else {
        return rate_limit::too_many(AGAIN_MS);
    };
    match app.crowd.try_acquire() {
        Ok(_place) => next(request).await,
        Err(_) => Problem::from(ProblemCode::Overloaded).into_response(),
    }
}

/// Gives up on a handler that takes too long; for every route but the upload, which has deadlines of its own.
pub(crate) async fn deadline(State(app): State<App>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(app.limits.request, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => Problem::unavailable("a request passed its deadline", "deadline").into_response(),
    }
}
