//! How much is taken on at once, and for how long. Health is asked and answered in any crowd.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::problem::ProblemCode;

use crate::{app::App, problem::Problem};

/// Refuses what would be more than the limit under way.
pub(super) async fn limit<Answer: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> Answer,
) -> Response {
    if request.uri().path().starts_with("/health") {
        return next(request).await;
    }
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
