//! The three shapes in which errors are told, by path. Knows nothing of what went wrong.

use axum::body::Body;
use domain::problem::ProblemCode;
use http::{HeaderValue, header::CONTENT_TYPE};
use serde_json::{Map, Value, json};

use crate::problem::Problem;

/// How a part of the API talks about errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// Registration and upload: `{"message", "data", "error"}`.
    Envelope,
    /// `/v1`: problem details (RFC 9457).
    Problem,
    /// Everything else: `{"detail"}`.
    Detail,
}

impl Surface {
    /// The surface that a path belongs to, whether or not there is anything at it.
    pub(crate) fn of(path: &str) -> Self {
        let under =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if ["/event_type", "/webhook/register", "/upload_file"].iter().any(|root| under(root)) {
            Self::Envelope
        } else if under("/v1") {
            Self::Problem
        } else {
            Self::Detail
        }
    }

    /// The media type of its errors.
    pub(crate) const fn error_type(self) -> HeaderValue {
        match self {
            Self::Problem => HeaderValue::from_static("application/problem+json"),
            Self::Envelope | Self::Detail => HeaderValue::from_static("application/json"),
        }
    }

    /// Puts the problem into the answer in this surface's words.
    pub(crate) fn tell(self, problem: &Problem, request_id: &str, answer: &mut http::Response<Body>) {
        let told = match self {
            Self::Envelope => json!({"message": problem.sentence(), "data": {}, "error": true}),
            Self::Detail => json!({"detail": problem.sentence()}),
            Self::Problem => details(problem, request_id),
        };
        answer.headers_mut().insert(CONTENT_TYPE, self.error_type());
        answer.headers_mut().remove(http::header::CONTENT_LENGTH);
        *answer.body_mut() = Body::from(told.to_string());
    }
}

/// The members of a problem, as `/v1` tells them.
pub(crate) fn details(problem: &Problem, request_id: &str) -> Value {
    let code: ProblemCode = problem.code;
    let mut told = Map::new();
    told.insert("type".into(), code.type_uri().into());
    told.insert("title".into(), code.title().into());
    told.insert("status".into(), code.status().into());
    told.insert("detail".into(), problem.sentence().into());
    told.insert("code".into(), code.code().into());
    if !problem.errors.is_empty() {
        told.insert("errors".into(), json!(problem.errors));
    }
    told.insert("request_id".into(), request_id.into());
    Value::Object(told)
}

#[cfg(test)]
mod tests {
    use super::Surface;

    #[test]
    fn a_path_belongs_to_one_surface_also_when_nothing_is_there() {
        for path in ["/event_type", "/event_type/x", "/webhook/register", "/upload_file/nowhere"] {
            assert_eq!(Surface::of(path), Surface::Envelope, "{path}");
        }
        for path in ["/v1", "/v1/", "/v1/errors"] {
            assert_eq!(Surface::of(path), Surface::Problem, "{path}");
        }
        for path in ["/", "/v10", "/event_types", "/webhook", "/webhook/update", "/health"] {
            assert_eq!(Surface::of(path), Surface::Detail, "{path}");
        }
    }
}
