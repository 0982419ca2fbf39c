//! The three formats of errors, by path. Knows nothing of what went wrong.

mod detail;

use axum::{body::Body, extract::Request, response::Response};
use domain::problem::ProblemCode;
use http::{
    HeaderValue,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use serde_json::{Map, Value, json};
use web::middleware::{RequestId, error_response};

pub(crate) use self::detail::{DetailError, object};
use crate::problem::Problem;

/// How an API writes errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorFormat {
    /// Uploads API: `{"message", "data", "error"}`.
    Envelope,
    /// `/v1`: problem details (RFC 9457).
    ProblemDetails,
    /// Everything else, the messages and notifications APIs included: `{"detail"}`.
    Detail,
}

impl ErrorFormat {
    /// The format of a path, whether or not there is anything at it.
    pub(crate) fn of_path(path: &str) -> Self {
        let under =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if ["/event_type", "/webhook/register", "/upload_file"].iter().any(|root| under(root)) {
            Self::Envelope
        } else if under("/v1") {
            Self::ProblemDetails
        } else {
            Self::Detail
        }
    }

    /// The media type of the errors.
    const fn media_type(self) -> HeaderValue {
        match self {
            Self::ProblemDetails => HeaderValue::from_static("application/problem+json"),
            Self::Envelope | Self::Detail => HeaderValue::from_static("application/json"),
        }
    }

    /// Writes the problem into the answer.
    fn render(self, problem: &Problem, request_id: &str, answer: &mut Response) {
        let body = match self {
            Self::Envelope => json!({"message": problem.sentence(), "data": {}, "error": true}),
            Self::Detail => json!({"detail": problem.sentence()}),
            Self::ProblemDetails => details(problem, request_id),
        };
        answer.headers_mut().insert(CONTENT_TYPE, self.media_type());
        answer.headers_mut().remove(CONTENT_LENGTH);
        *answer.body_mut() = Body::from(body.to_string());
    }
}

/// Renders the errors of one request.
pub(crate) struct RequestErrors {
    format: ErrorFormat,
    id: Option<RequestId>,
}

impl RequestErrors {
    /// In the format of the request's path, with its id.
    pub(crate) fn of(request: &Request) -> Self {
        Self { format: ErrorFormat::of_path(request.uri().path()), id: RequestId::of(request) }
    }
}

impl error_response::ErrorFormat for RequestErrors {
    type Error = Problem;

    fn panicked(&self) -> Problem {
        ProblemCode::Internal.into()
    }

    /// No answer of status 400 or above leaves as plain text.
    fn of_status(&self, status: u16) -> Option<Problem> {
        Some(ProblemCode::of_status(status).into())
    }

    fn render(&self, problem: &Problem, mut answer: Response) -> Response {
        let id = self.id.as_ref().map_or("-", RequestId::as_str);
        self.format.render(problem, id, &mut answer);
        answer
    }
}

/// The members of a problem of `/v1`.
pub(crate) fn details(problem: &Problem, request_id: &str) -> Value {
    let code: ProblemCode = problem.code;
    let mut members = Map::new();
    members.insert("type".into(), code.type_uri().into());
    members.insert("title".into(), code.title().into());
    members.insert("status".into(), code.status().into());
    members.insert("detail".into(), problem.sentence().into());
    members.insert("code".into(), code.code().into());
    if !problem.errors.is_empty() {
        members.insert("errors".into(), json!(problem.errors));
    }
    members.insert("request_id".into(), request_id.into());
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::ErrorFormat;

    #[test]
    fn a_path_has_one_format_also_when_nothing_is_there() {
        for path in ["/event_type", "/event_type/x", "/webhook/register", "/upload_file/nowhere"] {
            assert_eq!(ErrorFormat::of_path(path), ErrorFormat::Envelope, "{path}");
        }
        for path in ["/v1", "/v1/", "/v1/errors"] {
            assert_eq!(ErrorFormat::of_path(path), ErrorFormat::ProblemDetails, "{path}");
        }
        for path in ["/", "/v10", "/event_types", "/webhook", "/webhook/update", "/health"] {
            assert_eq!(ErrorFormat::of_path(path), ErrorFormat::Detail, "{path}");
        }
    }
}
