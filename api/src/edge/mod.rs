//! What every request passes on its way in and every answer on its way out.
//! Nothing here knows a route; order matters and stands in one place.

mod address;
mod crowd;
mod observe;
mod request_id;
mod tell;

use axum::{Router, middleware::from_fn_with_state, response::IntoResponse};
use domain::problem::ProblemCode;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{app::App, problem::Problem};
pub(crate) use address::AddressRules;
pub(crate) use crowd::deadline;
pub(crate) use request_id::RequestId;

/// Lays the edge around the routes: the last line is what a request meets first.
pub(crate) fn around(routes: Router<App>, app: &App) -> Router<App> {
    routes
        // Surface C's CORS answers belong here, before the addresses are checked.
        .layer(from_fn_with_state(app.clone(), address::check))
        .layer(from_fn_with_state(app.clone(), crowd::limit))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(axum::middleware::from_fn(tell::in_words_of_the_surface))
        .layer(axum::middleware::from_fn(observe::request))
}

fn after_panic(panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = said.unwrap_or("no message"), "a handler panicked");
    Problem::from(ProblemCode::Internal).into_response()
}
