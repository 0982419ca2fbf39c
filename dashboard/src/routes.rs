//! Every page. The list holds no logic.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};

use crate::{
    app::App,
    middleware, operations,
    pages::{asset, delivery, errors, live, login, overview, upload},
    problem::Problem,
    security::headers,
};

/// Largest form.
const FORM_LIMIT: usize = 8 * 1024;

/// The whole dashboard.
pub(crate) fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(overview::page))
        .route("/fragments/counters", get(overview::fragments::counters))
        .route("/fragments/queues", get(overview::fragments::queues))
        .route("/fragments/processes", get(overview::fragments::processes))
        .route("/fragments/deliveries", get(overview::fragments::deliveries))
        .route("/fragments/errors", get(overview::fragments::errors))
        .route("/fragments/minutes", get(overview::fragments::minutes))
        .route("/fragments/delivery/{id}", get(delivery::fragment))
        .route("/deliveries/{id}", get(delivery::page))
        .route("/uploads/{id}", get(upload::page))
        .route("/errors", get(errors::page))
        .route("/live", get(live::stream))
        .route_layer(from_fn_with_state(app.clone(), login::require_session));
    let public = Router::new()
        .route("/login", get(login::page).post(login::submit))
        .route("/logout", post(login::end))
        .route("/assets/{name}", get(asset::serve))
        .route("/metrics", get(operations::metrics))
        .route("/health/live", get(web::health::live))
        .route("/health/ready", get(web::health::ready));
    pages
        .merge(public)
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(from_fn_with_state(app.clone(), middleware::run))
        .layer(from_fn(headers::add))
        .with_state(app)
}
