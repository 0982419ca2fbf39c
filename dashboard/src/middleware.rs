//! What every request passes before it gets to a page, in the order in which it does.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use web::middleware::{AccessLog, HostOriginError, render_errors};

use crate::{
    app::App,
    problem::{ErrorPages, Problem},
};

/// Longest work on one page. Of a stream only the beginning counts.
const PAGE_DEADLINE: Duration = Duration::from_secs(10);

/// Logs the request, renders its error as a page, and bounds its time.
pub(crate) async fn run(State(app): State<App>, request: Request, next: Next) -> Response {
    let log = AccessLog::Quiet.run(request, |request| {
        let pages = ErrorPages::of(&app, &request);
        let answer = tokio::time::timeout(PAGE_DEADLINE, check_origin(&app, request, next));
        render_errors(pages, async { answer.await.unwrap_or_else(|_| Problem::Slow.into_response()) })
    });
    log.await
}

/// Refuses names that may have been rebound, and foreign pages that would change something.
async fn check_origin(app: &App, request: Request, next: Next) -> Response {
    let refused = match app.settings.origins.check(&request) {
        Ok(()) => return next.run(request).await,
        Err(HostOriginError::MissingHost) => Problem::BadRequest,
        Err(HostOriginError::ForeignHost) => Problem::ForeignHost,
        Err(HostOriginError::ForeignOrigin) => Problem::ForeignOrigin,
    };
    refused.into_response()
}
