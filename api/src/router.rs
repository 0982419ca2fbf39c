//! Every route of the API with its policy. The list holds no logic.

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, delete, get, patch, post},
};
use domain::problem::ProblemCode;

use crate::{
    app::App,
    middleware,
    problem::Problem,
    routes::{
        deliveries, endpoint_secrets, endpoint_test, endpoints, errors, event_types, events, files, health,
        messages, notices::Notices, notify, placements::Placements, push_page, push_subscriptions,
        registrations, replays, resource, start, statistics, subscribers::Subscribers, upload_files, uploads,
    },
};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    vec![
        // Health and start page.
        public("GET", "/", get(start::show)),
        public("GET", "/health", get(health::health)),
        public("GET", "/health/live", get(web::health::live)),
        public("GET", "/health/ready", get(web::health::ready)),
        public("GET", "/metrics", get(health::metrics)),
        // Uploads API.
        authenticated("GET", "/event_type", get(event_types::list)),
        authenticated("POST", "/webhook/register", post(registrations::register)),
        authenticated("POST", "/upload_file/webhook_id/{webhook_id}", post(upload_files::receive)).no_timeout(),
        // Messages API.
        public("POST", "/webhook", post(messages::ingest)).rate_limit_bad_signatures(),
        authenticated("GET", "/messages", get(messages::list)),
        authenticated("GET", "/stats", get(messages::stats)),
        // Notifications API.
        authenticated("POST", "/api/notify", post(notify::all)).no_timeout(),
        authenticated("POST", "/api/notify/telegram", post(notify::telegram)).no_timeout(),
        authenticated("POST", "/api/notify/web-push", post(notify::web_push)).no_timeout(),
        authenticated("POST", "/webhook/update", post(notify::update)).no_timeout(),
        public("GET", "/api/push/vapid-key", get(push_subscriptions::vapid_key)),
        public("POST", "/api/push/subscribe", post(push_subscriptions::subscribe)),
        public("POST", "/api/push/unsubscribe", post(push_subscriptions::unsubscribe)),
        public("POST", "/api/push/test", post(push_subscriptions::test)).rate_limit_push_tests(),
        authenticated("GET", "/api/stats", get(statistics::all)),
        authenticated("GET", "/api/stats/placements", get(statistics::placements)),
        authenticated("GET", "/api/stats/notices", get(statistics::notices)),
        authenticated("GET", "/api/stats/users", get(statistics::users)),
        public("GET", "/push", get(push_page::lead)),
        public("GET", "/push/", get(push_page::show)),
        public("GET", "/push/{file}", get(push_page::file)),
        // /v1.
        authenticated("GET", "/v1/event-types", get(event_types::manage::list)),
        authenticated("POST", "/v1/event-types", post(event_types::manage::create)),
        authenticated("GET", "/v1/event-types/{id}", get(event_types::manage::show)),
        authenticated("DELETE", "/v1/event-types/{id}", delete(event_types::manage::delete)),
        authenticated("GET", "/v1/endpoints", get(endpoints::list)),
        authenticated("POST", "/v1/endpoints", post(endpoints::create)),
        authenticated("GET", "/v1/endpoints/{id}", get(endpoints::show)),
        authenticated("PATCH", "/v1/endpoints/{id}", patch(endpoints::change)),
        authenticated("DELETE", "/v1/endpoints/{id}", delete(endpoints::delete)),
        authenticated("POST", "/v1/endpoints/{id}/pause", post(endpoints::pause)),
        authenticated("POST", "/v1/endpoints/{id}/resume", post(endpoints::resume)),
        authenticated("GET", "/v1/endpoints/{id}/secret", get(endpoint_secrets::show)),
        authenticated("POST", "/v1/endpoints/{id}/secret/rotate", post(endpoint_secrets::rotate)),
        authenticated("POST", "/v1/endpoints/{id}/test", post(endpoint_test::send)),
        authenticated("POST", "/v1/events", post(events::publish)),
        authenticated("POST", "/v1/events/batch", post(events::publish_batch)),
        authenticated("GET", "/v1/events/{id}", get(events::show)),
        authenticated("GET", "/v1/deliveries", get(deliveries::list)),
        authenticated("GET", "/v1/deliveries/{id}", get(deliveries::show)),
        authenticated("POST", "/v1/deliveries/{id}/retry", post(deliveries::retry)),
        authenticated("POST", "/v1/deliveries/{id}/cancel", post(deliveries::cancel)),
        authenticated("POST", "/v1/replays", post(replays::create)),
        authenticated("GET", "/v1/replays", get(replays::list)),
        authenticated("GET", "/v1/replays/{id}", get(replays::show)),
        authenticated("POST", "/v1/replays/{id}/pause", post(replays::pause)),
        authenticated("POST", "/v1/replays/{id}/resume", post(replays::resume)),
        authenticated("POST", "/v1/replays/{id}/cancel", post(replays::cancel)),
        authenticated("POST", "/v1/notices", post(resource::create::<Notices>)),
        authenticated("POST", "/v1/notices/batch", post(resource::create_batch::<Notices>)),
        authenticated("GET", "/v1/notices", get(resource::list::<Notices>)),
        authenticated("GET", "/v1/notices/{id}", get(resource::show::<Notices>)),
        authenticated("DELETE", "/v1/notices/{id}", delete(resource::delete::<Notices>)),
        authenticated("POST", "/v1/placements", post(resource::create::<Placements>)),
        authenticated("POST", "/v1/placements/batch", post(resource::create_batch::<Placements>)),
        authenticated("GET", "/v1/placements", get(resource::list::<Placements>)),
        authenticated("GET", "/v1/placements/{id}", get(resource::show::<Placements>)),
        authenticated("DELETE", "/v1/placements/{id}", delete(resource::delete::<Placements>)),
        authenticated("POST", "/v1/subscribers", post(resource::create::<Subscribers>)),
        authenticated("POST", "/v1/subscribers/batch", post(resource::create_batch::<Subscribers>)),
        authenticated("GET", "/v1/subscribers", get(resource::list::<Subscribers>)),
        authenticated("GET", "/v1/subscribers/{id}", get(resource::show::<Subscribers>)),
        authenticated("DELETE", "/v1/subscribers/{id}", delete(resource::delete::<Subscribers>)),
        authenticated("GET", "/v1/errors", get(errors::list)),
        authenticated("GET", "/v1/uploads/{id}", get(uploads::show)),
        public("GET", "/v1/uploads/{id}/file", get(files::show)),
    ]
}

/// A route as it is listed, for the test that holds every one to its decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method.
    pub method: &'static str,
    /// The path's pattern.
    pub path: &'static str,
    /// Whether it answers without a key where one is configured.
    pub is_public: bool,
}

struct Route {
    info: RouteInfo,
    policy: Policy,
    handler: MethodRouter<App>,
}

/// Timeout and rate limit of a route.
enum Policy {
    /// The timeout, and at public routes their rate limit.
    Default,
    /// No timeout: the handler has deadlines of its own.
    NoTimeout,
    /// Only requests with a wrong signature are rate limited.
    RateLimitBadSignatures,
    /// A rate limit of its own: each request sends a message.
    RateLimitPushTests,
}

/// A route without a key.
const fn public(method: &'static str, path: &'static str, handler: MethodRouter<App>) -> Route {
    Route::of(RouteInfo { method, path, is_public: true }, handler)
}

/// A route with a key; the handler's signature says which right it needs.
const fn authenticated(method: &'static str, path: &'static str, handler: MethodRouter<App>) -> Route {
    Route::of(RouteInfo { method, path, is_public: false }, handler)
}

impl Route {
    const fn of(info: RouteInfo, handler: MethodRouter<App>) -> Self {
        Self { info, policy: Policy::Default, handler }
    }

    fn no_timeout(self) -> Self {
        Self { policy: Policy::NoTimeout, ..self }
    }

    fn rate_limit_bad_signatures(self) -> Self {
        Self { policy: Policy::RateLimitBadSignatures, ..self }
    }

    fn rate_limit_push_tests(self) -> Self {
        Self { policy: Policy::RateLimitPushTests, ..self }
    }

    fn build(self, app: &App) -> MethodRouter<App> {
        let state = app.clone();
        let timed =
            |handler: MethodRouter<App>| handler.layer(from_fn_with_state(app.clone(), middleware::deadline));
        match self.policy {
            Policy::NoTimeout => self.handler,
            Policy::RateLimitBadSignatures => {
                timed(self.handler).layer(from_fn_with_state(state, middleware::rate_limit_bad_signatures))
            }
            Policy::RateLimitPushTests => {
                timed(self.handler).layer(from_fn_with_state(state, middleware::limit_push_tests))
            }
            Policy::Default if self.info.is_public => {
                timed(self.handler).layer(from_fn_with_state(state, middleware::limit_public_route))
            }
            Policy::Default => timed(self.handler),
        }
    }
}

/// Every route, without serving it.
#[must_use]
pub fn route_list() -> Vec<RouteInfo> {
    routes().into_iter().map(|route| route.info).collect()
}

/// The whole API.
pub fn router(app: App) -> Router {
    let bare = Router::new().fallback(async || Problem::from(ProblemCode::NotFound));
    let listed =
        routes().into_iter().fold(bare, |router, route| router.route(route.info.path, route.build(&app)));
    middleware::around(listed, &app).with_state(app)
}
