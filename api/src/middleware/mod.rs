//! What every request passes on its way in and every answer on its way out.
//! Nothing here knows a route; order matters and stands in one place.

mod access_log;
mod cors;
mod error_response;
mod host_origin;
mod load_shed;
mod per_address;
mod rate_limit;
mod request_id;

use std::panic::AssertUnwindSafe;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use domain::problem::ProblemCode;
use futures_util::FutureExt;

use crate::{app::App, problem::Problem};
pub(crate) use access_log::IngestNote;
pub(crate) use host_origin::OriginPolicy;
pub(crate) use load_shed::deadline;
pub(crate) use per_address::{PerAddress, UnderWay};
pub(crate) use rate_limit::{
    Peer, RateLimits, address_of, limit_bad_signatures, limit_public_route, limit_push_tests, stranger,
    too_many,
};
pub(crate) use request_id::RequestId;

/// Wraps the routes. It is one layer of axum's: seven of them, one in another, would each box the
/// request and copy all that lies within.
pub(crate) fn around(routes: Router<App>, app: &App) -> Router<App> {
    routes.layer(from_fn_with_state(app.clone(), run))
}

async fn run(State(app): State<App>, request: Request, next: Next) -> Response {
    told(request, |request| guarded(&app, request, next)).await
}

/// What a request meets before its route, first to last. CORS is around all that refuses: a page may read why.
async fn guarded(app: &App, request: Request, next: Next) -> Response {
    cors::answer(app, request, |request| {
        load_shed::limit(app, request, |request| {
            rate_limit::limit_wrong_keys(app, request, |request| {
                host_origin::check(app, request, |request| next.run(request))
            })
        })
    })
    .await
}

/// Whatever happens within is answered in the words of the surface, and logged.
async fn told<Answer>(request: Request, next: impl FnOnce(Request) -> Answer) -> Response
where
    Answer: Future<Output = Response>,
{
    access_log::request(request, |request| {
        error_response::in_words_of_the_surface(request, |request| whole(async { next(request).await }))
    })
    .await
}

/// A panic within is an answer.
async fn whole(answer: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|panic| after_panic(&*panic))
}

fn after_panic(panic: &(dyn std::any::Any + Send)) -> Response {
    let said =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = said.unwrap_or("no message"), "a handler panicked");
    Problem::from(ProblemCode::Internal).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, middleware::from_fn, routing::get};
    use http_body_util::BodyExt;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use serde_json::Value;

    use super::*;

    async fn broken() {
        panic!("a cause that no caller may see");
    }

    async fn answer(path: &str) -> (u16, Value) {
        let routes = Router::new().route("/v1/broken", get(broken)).route("/event_type", get(broken));
        let routes = routes.layer(from_fn(|request, next: Next| told(request, |request| next.run(request))));
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let answer = TowerToHyperService::new(routes).call(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    #[tokio::test]
    async fn a_panic_is_500_in_the_words_of_the_surface_and_keeps_its_cause() {
        let (status, told) = answer("/v1/broken").await;
        assert_eq!((status, &told["code"]), (500, &Value::from("internal")));
        assert!(!told.to_string().contains("a cause"), "{told}");
        let (status, told) = answer("/event_type").await;
        assert_eq!((status, &told["error"]), (500, &Value::from(true)));
    }
}
