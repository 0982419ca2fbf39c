//! Errors of the messages and notifications APIs: `{"detail": "invalid signature"}`, or every fault in a list. The
//! middleware renders all others.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use domain::message::{Fault, FaultKind};
use http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// The scheme of the signature, as `WWW-Authenticate` names it.
const SCHEME: HeaderValue = HeaderValue::from_static("HMAC-SHA256");

/// Why a request of these APIs is refused.
#[derive(Debug)]
pub(crate) enum DetailError {
    /// Its signature is missing or wrong.
    Signature,
    /// Values break rules.
    Faults(Vec<Fault>),
    /// Any error that is not particular to these APIs.
    Problem(Problem),
}

/// Parses the members of a body.
///
/// # Errors
/// The one fault of a body that is no JSON object.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Vec<Fault>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(vec![Fault::of_body(FaultKind::ValueError, "must be a JSON object")]),
        Err(_) => Err(vec![Fault::of_body(FaultKind::JsonInvalid, "is not valid JSON")]),
    }
}

#[derive(Serialize)]
struct Detail<T> {
    detail: T,
}

impl From<Problem> for DetailError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Vec<Fault>> for DetailError {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Faults(faults)
    }
}

impl IntoResponse for DetailError {
    fn into_response(self) -> Response {
        match self {
            Self::Signature => {
                let body = Json(Detail { detail: "invalid signature" });
                (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, SCHEME)], body).into_response()
            }
            Self::Faults(detail) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Json(Detail { detail })).into_response()
            }
            Self::Problem(problem) => problem.into_response(),
        }
    }
}
