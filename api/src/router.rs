//! Every route of the API, with the decision who may use it. The list holds no logic.

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
        messages, metrics, notices, notify, placements, push_page, push_subscriptions, registrations,
        replays, start, statistics, subscribers, upload_files, uploads,
    },
};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    vec![
        // Health and start: open.
        open("GET", "/", get(start::show)),
        open("GET", "/health", get(health::health)),
        open("GET", "/health/live", get(health::live)),
        open("GET", "/health/ready", get(health::ready)),
        open("GET", "/metrics", get(metrics::show)),
        // Surface A: registration and upload.
        locked("GET", "/event_type", get(event_types::list)),
        locked("POST", "/webhook/register", post(registrations::register)),
        locked("POST", "/upload_file/webhook_id/{webhook_id}", post(upload_files::receive)).at_its_own_pace(),
        // Surface B: signed ingest.
        open("POST", "/webhook", post(messages::ingest)).for_whoever_signs(),
        locked("GET", "/messages", get(messages::list)),
        locked("GET", "/stats", get(messages::stats)),
        // Surface C: notifications.
        locked("POST", "/api/notify", post(notify::all)).at_its_own_pace(),
        locked("POST", "/api/notify/telegram", post(notify::telegram)).at_its_own_pace(),
        locked("POST", "/api/notify/web-push", post(notify::web_push)).at_its_own_pace(),
        locked("POST", "/webhook/update", post(notify::update)).at_its_own_pace(),
        open("GET", "/api/push/vapid-key", get(push_subscriptions::vapid_key)),
        open("POST", "/api/push/subscribe", post(push_subscriptions::subscribe)),
        open("POST", "/api/push/unsubscribe", post(push_subscriptions::unsubscribe)),
        open("POST", "/api/push/test", post(push_subscriptions::test)).for_push_tests(),
        locked("GET", "/api/stats", get(statistics::all)),
        locked("GET", "/api/stats/placements", get(statistics::placements)),
        locked("GET", "/api/stats/notices", get(statistics::notices)),
        locked("GET", "/api/stats/users", get(statistics::users)),
        open("GET", "/push", get(push_page::lead)),
        open("GET", "/push/", get(push_page::show)),
        open("GET", "/push/{file}", get(push_page::file)),
        // /v1
        locked("GET", "/v1/event-types", get(event_types::manage::list)),
        locked("POST", "/v1/event-types", post(event_types::manage::create)),
        locked("GET", "/v1/event-types/{id}", get(event_types::manage::show)),
        locked("DELETE", "/v1/event-types/{id}", delete(event_types::manage::delete)),
        locked("GET", "/v1/endpoints", get(endpoints::list)),
        locked("POST", "/v1/endpoints", post(endpoints::create)),
        locked("GET", "/v1/endpoints/{id}", get(endpoints::show)),
        locked("PATCH", "/v1/endpoints/{id}", patch(endpoints::change)),
        locked("DELETE", "/v1/endpoints/{id}", delete(endpoints::delete)),
        locked("POST", "/v1/endpoints/{id}/pause", post(endpoints::pause)),
        locked("POST", "/v1/endpoints/{id}/resume", post(endpoints::resume)),
        locked("GET", "/v1/endpoints/{id}/secret", get(endpoint_secrets::show)),
        locked("POST", "/v1/endpoints/{id}/secret/rotate", post(endpoint_secrets::rotate)),
        locked("POST", "/v1/endpoints/{id}/test", post(endpoint_test::send)),
        locked("POST", "/v1/events", post(events::publish)),
        locked("POST", "/v1/events/batch", post(events::publish_batch)),
        locked("GET", "/v1/events/{id}", get(events::show)),
        locked("GET", "/v1/deliveries", get(deliveries::list)),
        locked("GET", "/v1/deliveries/{id}", get(deliveries::show)),
        locked("POST", "/v1/deliveries/{id}/retry", post(deliveries::retry)),
        locked("POST", "/v1/deliveries/{id}/cancel", post(deliveries::cancel)),
        locked("POST", "/v1/replays", post(replays::create)),
        locked("GET", "/v1/replays", get(replays::list)),
        locked("GET", "/v1/replays/{id}", get(replays::show)),
        locked("POST", "/v1/replays/{id}/pause", post(replays::pause)),
        locked("POST", "/v1/replays/{id}/resume", post(replays::resume)),
        locked("POST", "/v1/replays/{id}/cancel", post(replays::cancel)),
        locked("POST", "/v1/notices", post(notices::create)),
        locked("POST", "/v1/notices/batch", post(notices::create_batch)),
        locked("GET", "/v1/notices", get(notices::list)),
        locked("GET", "/v1/notices/{id}", get(notices::show)),
        locked("DELETE", "/v1/notices/{id}", delete(notices::delete)),
        locked("POST", "/v1/placements", post(placements::create)),
        locked("POST", "/v1/placements/batch", post(placements::create_batch)),
        locked("GET", "/v1/placements", get(placements::list)),
        locked("GET", "/v1/placements/{id}", get(placements::show)),
        locked("DELETE", "/v1/placements/{id}", delete(placements::delete)),
        locked("POST", "/v1/subscribers", post(subscribers::create)),
        locked("POST", "/v1/subscribers/batch", post(subscribers::create_batch)),
        locked("GET", "/v1/subscribers", get(subscribers::list)),
        locked("GET", "/v1/subscribers/{id}", get(subscribers::show)),
        locked("DELETE", "/v1/subscribers/{id}", delete(subscribers::delete)),
        locked("GET", "/v1/errors", get(errors::list)),
        locked("GET", "/v1/uploads/{id}", get(uploads::show)),
        open("GET", "/v1/uploads/{id}/file", get(files::show)),
    ]
}

/// A route as it is listed, for the test that holds every one to its decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method.
    pub method: &'static str,
    /// The path's pattern.
    pub path: &'static str,
    /// Whether it answers without a key where one is set.
    pub is_open: bool,
}

struct Route {
    info: RouteInfo,
    pace: Pace,
    handler: MethodRouter<App>,
}

/// What slows a route.
enum Pace {
    /// A deadline, and at open routes the pace of strangers.
    Usual,
    /// Deadlines of its own.
    ItsOwn,
    /// A signature is its key: only wrong ones are slowed.
    OfWrongSignatures,
    /// Each makes us send a message: a pace of its own for strangers.
    OfPushTests,
}

const fn open(method: &'static str, path: &'static str, handler: MethodRouter<App>) -> Route {
    Route::of(RouteInfo { method, path, is_open: true }, handler)
}

/// The handler's signature says which right it asks for.
const fn locked(method: &'static str, path: &'static str, handler: MethodRouter<App>) -> Route {
    Route::of(RouteInfo { method, path, is_open: false }, handler)
}

impl Route {
    const fn of(info: RouteInfo, handler: MethodRouter<App>) -> Self {
        Self { info, pace: Pace::Usual, handler }
    }

    fn at_its_own_pace(self) -> Self {
        Self { pace: Pace::ItsOwn, ..self }
    }

    fn for_whoever_signs(self) -> Self {
        Self { pace: Pace::OfWrongSignatures, ..self }
    }

    fn for_push_tests(self) -> Self {
        Self { pace: Pace::OfPushTests, ..self }
    }

    fn build(self, app: &App) -> MethodRouter<App> {
        let state = app.clone();
        let in_time =
            |handler: MethodRouter<App>| handler.layer(from_fn_with_state(app.clone(), middleware::deadline));
        match self.pace {
            Pace::ItsOwn => self.handler,
            Pace::OfWrongSignatures => {
                in_time(self.handler).layer(from_fn_with_state(state, middleware::limit_bad_signatures))
            }
            Pace::OfPushTests => {
                in_time(self.handler).layer(from_fn_with_state(state, middleware::limit_push_tests))
            }
            Pace::Usual if self.info.is_open => {
                in_time(self.handler).layer(from_fn_with_state(state, middleware::limit_public_route))
            }
            Pace::Usual => in_time(self.handler),
        }
    }
}

/// What is served, without serving it.
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
