//! Turns a marked refusal, or a bare error status of the framework, into the words of the path's surface.
//! No answer of status 400 or above leaves as plain text.

use axum::{extract::Request, response::Response};
use domain::problem::ProblemCode;
use http::header::CONTENT_TYPE;

use super::RequestId;
use crate::{problem::Problem, surface::Surface};

/// The layer.
pub(super) async fn in_words_of_the_surface<Answer: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> Answer,
) -> Response {
    let surface = Surface::of(request.uri().path());
    let id = request.extensions().get::<RequestId>().cloned();
    let mut answer = next(request).await;
    if let Some(problem) = answer.extensions_mut().remove::<Problem>().or_else(|| bare(&answer)) {
        surface.tell(&problem, id.as_ref().map_or("-", RequestId::as_str), &mut answer);
    }
    answer
}

/// What an error that no handler of ours wrote stands for.
fn bare(answer: &Response) -> Option<Problem> {
    let media_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let status = answer.status().as_u16();
    (status >= 400 && !media_type.contains("json")).then(|| ProblemCode::of_status(status).into())
}
