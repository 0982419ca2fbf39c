//! One line and two metrics for every request, also for those whose caller went away.
//! The query is never logged: it may hold a signature.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use http::Method;
use platform::telemetry::names;
use tracing::{Instrument, info_span};

use super::request_id::{HEADER, RequestId};

/// The label of requests that no route took.
const UNMATCHED: &str = "unmatched";
/// What is logged when the caller went away before the answer.
const CALLER_LEFT: u16 = 499;
/// Most of a path that is logged, in characters.
const LOGGED_PATH_CHARS: usize = 256;

/// What a handler of signed ingest wants its request's line to say besides; put into the answer's extensions.
#[derive(Clone, Debug)]
pub(crate) struct IngestNote {
    /// The message's id; none where the body told none.
    pub(crate) message_id: Option<Arc<str>>,
    /// Whether there was a message of that id.
    pub(crate) dup: bool,
    /// What became of it, a word of `webhook_requests_total`.
    pub(crate) result: &'static str,
}

/// Gives the request its id, and tells how it went.
pub(super) async fn request<Answer: Future<Output = Response>>(
    mut request: Request,
    next: impl FnOnce(Request) -> Answer,
) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let seen = Seen::of(&request, id.clone());
    let span = info_span!("request", request_id = id.as_str());
    let mut answer = next(request).instrument(span).await;
    answer.headers_mut().insert(HEADER, id.header());
    seen.answered(&mut answer);
    answer
}

struct Seen {
    id: RequestId,
    method: Method,
    path: String,
    pattern: Option<MatchedPath>,
    start: Instant,
    status: u16,
    ingest: Option<IngestNote>,
}

impl Seen {
    fn of(request: &Request, id: RequestId) -> Self {
        Self {
            id,
            method: request.method().clone(),
            path: request.uri().path().chars().take(LOGGED_PATH_CHARS).collect(),
            pattern: request.extensions().get().cloned(),
            start: Instant::now(),
            status: CALLER_LEFT,
            ingest: None,
        }
    }

    fn answered(mut self, answer: &mut Response) {
        self.status = answer.status().as_u16();
        self.ingest = answer.extensions_mut().remove();
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        let latency_ms = self.start.elapsed().as_secs_f64() * 1_000.0;
        let pattern = self.pattern.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        let (status, path) = (self.status.to_string(), pattern.to_owned());
        metrics::counter!(names::HTTP_REQUESTS, "path" => path, "status" => status).increment(1);
        metrics::histogram!(names::REQUEST_LATENCY_MS).record(latency_ms);
        let ingest = self.ingest.as_ref();
        tracing::info!(
            request_id = self.id.as_str(),
            method = %self.method,
            path = self.path,
            status = self.status,
            latency_ms = (latency_ms * 1e3).round() / 1e3,
            // A field without a value is not written.
            message_id = ingest.and_then(|note| note.message_id.as_deref()),
            dup = ingest.map(|note| note.dup),
            result = ingest.map(|note| note.result),
            "request"
        );
    }
}
