//! One log line for every request, also for those whose caller went away before the answer. It never logs the query,
//! which may hold a signature.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use http::Method;
use platform::telemetry::names;
use tracing::{Instrument, info_span};

use super::request_id::{HEADER, RequestId};

/// The label of requests that match no route.
const UNMATCHED: &str = "unmatched";
/// The status of requests whose caller went away before the answer.
const CALLER_LEFT: u16 = 499;
/// Most of a path that is logged, in characters.
const LOGGED_PATH_CHARS: usize = 256;

/// How a listener logs its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// A line at `info`, and the metrics of requests.
    Counted,
    /// A line at `debug` and no metrics: pages that fetch their own parts would drown everything else.
    Quiet,
}

/// What signed ingest adds to its line; a handler puts it into the extensions of its answer.
#[derive(Clone, Debug)]
pub struct IngestFields {
    /// The message's id; `None` when the body has no valid one.
    pub message_id: Option<Arc<str>>,
    /// Whether a message of that id was stored before.
    pub dup: bool,
    /// The outcome, as a label of `webhook_requests_total`.
    pub result: &'static str,
}

impl AccessLog {
    /// Gives the request its id, and logs it when it has ended.
    pub async fn run<Answer: Future<Output = Response>>(
        self,
        mut request: Request,
        next: impl FnOnce(Request) -> Answer,
    ) -> Response {
        let id = RequestId::from_headers(request.headers());
        request.extensions_mut().insert(id.clone());
        let line = Line::of(self, &request, id.clone());
        let span = info_span!("request", request_id = id.as_str());
        let mut answer = next(request).instrument(span).await;
        answer.headers_mut().insert(HEADER, id.header());
        line.finish(&mut answer);
        answer
    }
}

/// The line of a request, written when it is dropped.
struct Line {
    log: AccessLog,
    id: RequestId,
    method: Method,
    path: String,
    pattern: Option<MatchedPath>,
    start: Instant,
    status: u16,
    ingest: Option<IngestFields>,
}

impl Line {
    fn of(log: AccessLog, request: &Request, id: RequestId) -> Self {
        Self {
            log,
            id,
            method: request.method().clone(),
            path: request.uri().path().chars().take(LOGGED_PATH_CHARS).collect(),
            pattern: request.extensions().get().cloned(),
            start: Instant::now(),
            status: CALLER_LEFT,
            ingest: None,
        }
    }

    fn finish(mut self, answer: &mut Response) {
        self.status = answer.status().as_u16();
        self.ingest = answer.extensions_mut().remove();
    }

    fn count(&self, latency_ms: f64) {
        let pattern = self.pattern.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        let (status, path) = (self.status.to_string(), pattern.to_owned());
        metrics::counter!(names::HTTP_REQUESTS, "path" => path, "status" => status).increment(1);
        metrics::histogram!(names::REQUEST_LATENCY_MS).record(latency_ms);
    }

    fn write(&self, latency_ms: f64) {
        let ingest = self.ingest.as_ref();
        tracing::info!(
            request_id = self.id.as_str(),
            method = %self.method,
            path = self.path,
            status = self.status,
            latency_ms,
            // A field without a value is not written.
            message_id = ingest.and_then(|fields| fields.message_id.as_deref()),
            dup = ingest.map(|fields| fields.dup),
            result = ingest.map(|fields| fields.result),
            "request"
        );
    }

    fn write_quietly(&self, latency_ms: f64) {
        tracing::debug!(
            request_id = self.id.as_str(),
            method = %self.method,
            path = self.path,
            status = self.status,
            latency_ms,
            "request"
        );
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let latency_ms = self.start.elapsed().as_secs_f64() * 1_000.0;
        let rounded = (latency_ms * 1e3).round() / 1e3;
        match self.log {
            AccessLog::Counted => {
                self.count(latency_ms);
                self.write(rounded);
            }
            AccessLog::Quiet => self.write_quietly(rounded),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, response::IntoResponse};
    use http::StatusCode;
    use platform::telemetry::Telemetry;

    use super::*;

    /// Runs a request of this id and returns the status and id of its answer.
    async fn run(log: AccessLog, id: &str) -> (StatusCode, String) {
        let request = Request::builder().uri("/?signature=s").header(HEADER, id).body(Body::empty());
        let answer = log.run(request.expect("a request"), async |request| {
            let seen = RequestId::of(&request).expect("an id");
            ([("seen", seen.header())], StatusCode::IM_A_TEAPOT).into_response()
        });
        let answer = answer.await;
        assert_eq!(answer.headers().get("seen"), answer.headers().get(HEADER));
        let id = answer.headers()[HEADER].to_str().expect("text").to_owned();
        (answer.status(), id)
    }

    #[tokio::test]
    async fn a_request_is_counted_where_its_listener_counts_and_always_gets_an_id() {
        let telemetry = Telemetry::for_tests();
        let counted =
            || telemetry.render().contains(r#"http_requests_total{path="unmatched",status="418"} 1"#);
        assert_eq!(run(AccessLog::Quiet, "quiet").await, (StatusCode::IM_A_TEAPOT, "quiet".to_owned()));
        assert!(!counted());
        assert_eq!(run(AccessLog::Counted, "loud").await, (StatusCode::IM_A_TEAPOT, "loud".to_owned()));
        assert!(counted());
    }
}
