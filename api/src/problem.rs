//! What a handler refuses with. It only marks the answer; the middleware renders it in the format of the API.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use domain::problem::{FieldError, ProblemCode};
use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use web::auth::Unauthenticated;

/// An answer that is not what the caller hoped for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Row of the closed table.
    pub(crate) code: ProblemCode,
    /// What is wrong this time; empty: the title says it all.
    pub(crate) detail: Cow<'static, str>,
    /// The values at fault.
    pub(crate) errors: Vec<FieldError>,
}

impl Problem {
    /// This code, with what is wrong this time. The detail is shown to the caller: never a cause of ours.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new() }
    }

    /// A value of the request breaks a rule; the code decides the status.
    pub(crate) fn field(code: ProblemCode, field: &str, message: impl Into<String>) -> Self {
        Self { code, detail: Cow::Borrowed(""), errors: vec![FieldError::new(field, message)] }
    }

    /// Something of ours failed: the cause goes to the log, once, and not to the caller.
    pub(crate) fn internal(what: &'static str, cause: impl std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "{what}");
        ProblemCode::Internal.into()
    }

    /// The database did not do its part: the cause goes to the log, once.
    pub(crate) fn unavailable(what: &'static str, cause: impl std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "{what}");
        ProblemCode::Unavailable.into()
    }

    /// One sentence for people: the detail, or the values at fault, or the title.
    pub(crate) fn sentence(&self) -> String {
        if !self.detail.is_empty() {
            return self.detail.clone().into_owned();
        }
        if self.errors.is_empty() {
            return self.code.title().to_owned();
        }
        let faults: Vec<String> = self.errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
        faults.join("; ")
    }
}

impl From<Unauthenticated> for Problem {
    fn from(_: Unauthenticated) -> Self {
        ProblemCode::Unauthorized.into()
    }
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self::new(code, "")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = status.into_response();
        if status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer.extensions_mut().insert(self);
        answer
    }
}
