//! What every request passes on its way in and every answer on its way out.
//! Nothing here knows a route; order matters and stands in one place.

mod address;
mod cors;
mod crowd;
mod observe;
mod pace;
mod request_id;
mod tell;

use axum::{Router, middleware::from_fn_with_state, response::IntoResponse};
use domain::problem::ProblemCode;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{app::App, problem::Problem};
pub(crate) use address::AddressRules;
pub(crate) use crowd::deadline;
pub(crate) use observe::IngestNote;
pub(crate) use pace::{Paces, Peer, of_open_route, of_push_tests, of_wrong_signatures};
pub(crate) use request_id::RequestId;

/// Lays the edge around the routes: the last line is what a request meets first.
pub(crate) fn around(routes: Router<App>, app: &App) -> Router<App> {
    let guarded = routes
        .layer(from_fn_with_state(app.clone(), address::check))
        .layer(from_fn_with_state(app.clone(), pace::of_wrong_keys))
        .layer(from_fn_with_state(app.clone(), crowd::limit))
        // Around all that refuses: a page may read why.
        .layer(from_fn_with_state(app.clone(), cors::answer));
    told(guarded)
}

/// Whatever happens within is answered in the words of the surface, and logged.
fn told<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(axum::middleware::from_fn(tell::in_words_of_the_surface))
        .layer(axum::middleware::from_fn(observe::request))
}

fn after_panic(panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let said =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = said.unwrap_or("no message"), "a handler panicked");
    Problem::from(ProblemCode::Internal).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request, routing::get};
    use http_body_util::BodyExt;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;
    use serde_json::Value;

    use super::*;

    async fn broken() {
        panic!("a cause that nobody outside may see");
    }

    async fn answer(path: &str) -> (u16, Value) {
        let routes = told(Router::new().route("/v1/broken", get(broken)).route("/event_type", get(broken)));
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
