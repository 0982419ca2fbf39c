//! The API's middleware. No layer knows a route; their order matters and is defined in one place, `layers`.

mod layers;
mod pages;
mod rate_limits;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use domain::problem::ProblemCode;
use web::middleware::{AccessLog, HostOriginError, Shed, render_errors};

use crate::{app::App, error_format::RequestErrors, problem::Problem};
pub(crate) use layers::{limit_public_route, limit_push_tests, rate_limit_bad_signatures, too_many};
pub(crate) use pages::is_for_pages;
pub(crate) use rate_limits::RateLimits;

/// When a caller with too many requests in flight is asked to come again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Wraps the routes. It is one layer of axum's: seven of them, one in another, would each box the
/// request and copy all that lies within.
pub(crate) fn around(routes: Router<App>, app: &App) -> Router<App> {
    routes.layer(from_fn_with_state(app.clone(), run))
}

async fn run(State(app): State<App>, request: Request, next: Next) -> Response {
    observe(request, |request| guard(&app, request, next)).await
}

/// Logs the request and renders its error in the format of the path.
async fn observe<Answer>(request: Request, next: impl FnOnce(Request) -> Answer) -> Response
where
    Answer: Future<Output = Response>,
{
    let log = AccessLog::Counted.run(request, |request| {
        let format = RequestErrors::of(&request);
        // Called within, so that a panic on the way to the answer is rendered as well.
        render_errors(format, async { next(request).await })
    });
    log.await
}

/// What a request meets before its route, first to last. CORS is around all that refuses: a page may read why.
async fn guard(app: &App, request: Request, next: Next) -> Response {
    let counted = |request: &Request| app.authenticator.counted_address(request);
    app.cors
        .run(&app.origins, request, |request| {
            app.load_shed.run(request, counted, refuse_load, |request| {
                layers::limit_wrong_keys(app, request, |request| check_origin(app, request, next))
            })
        })
        .await
}

async fn check_origin(app: &App, request: Request, next: Next) -> Response {
    let refused = match app.origins.check(&request) {
        Ok(()) => return next.run(request).await,
        Err(HostOriginError::MissingHost) => ProblemCode::BadRequest,
        Err(HostOriginError::ForeignHost) => ProblemCode::HostRefused,
        Err(HostOriginError::ForeignOrigin) => ProblemCode::OriginRefused,
    };
    Problem::from(refused).into_response()
}

fn refuse_load(shed: Shed) -> Response {
    match shed {
        Shed::Address => too_many(AGAIN),
        Shed::Process => Problem::from(ProblemCode::Overloaded).into_response(),
    }
}

/// Gives up on a handler that takes too long; for every route but those with deadlines of their own.
pub(crate) async fn deadline(State(app): State<App>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(app.limits.request, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => Problem::unavailable("a request passed its deadline", "deadline").into_response(),
    }
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
        let routes =
            routes.layer(from_fn(|request, next: Next| observe(request, |request| next.run(request))));
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let answer = TowerToHyperService::new(routes).call(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    #[tokio::test]
    async fn a_panic_is_500_in_the_format_of_the_path_and_keeps_its_cause() {
        let (status, body) = answer("/v1/broken").await;
        assert_eq!((status, &body["code"]), (500, &Value::from("internal")));
        assert!(!body.to_string().contains("a cause"), "{body}");
        let (status, body) = answer("/event_type").await;
        assert_eq!((status, &body["error"]), (500, &Value::from(true)));
    }
}
