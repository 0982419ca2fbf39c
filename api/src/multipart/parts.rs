//! The parts of a body in their order, with bounds on their number, their headers and each wait.

use std::time::Duration;

use axum::body::{Body, Bytes};
use domain::problem::ProblemCode;
use http::header::CONTENT_DISPOSITION;
use multer::{Error, Field, Multipart};

use super::{
    file_name,
    gate::{Gate, Held},
    parameters::{parameters, split},
};
use crate::problem::Problem;

/// Most parts of a body.
pub(crate) const MAX_PARTS: usize = 64;

/// The parts of one body.
pub(crate) struct Parts<'a> {
    inner: Multipart<'a>,
    held: Held,
    stall: Duration,
    seen: usize,
}

/// One part; read it to its end before the next.
pub(crate) struct Part<'a> {
    field: Field<'a>,
    held: Held,
    stall: Duration,
    parameters: Vec<(String, String)>,
}

impl<'a> Parts<'a> {
    /// Reads `body`, waiting at most `stall` for each step.
    pub(crate) fn new(body: &'a mut Body, boundary: String, stall: Duration) -> Self {
        let held = Held::default();
        let inner = Multipart::new(Gate::new(body, held.clone()), boundary);
        Self { inner, held, stall, seen: 0 }
    }

    /// The next part, or none after the closing boundary.
    pub(crate) async fn next(&mut self) -> Result<Option<Part<'a>>, Problem> {
        let Some(field) = within(self.stall, self.inner.next_field()).await? else {
            return Ok(None);
        };
        self.held.nothing();
        self.seen += 1;
        if self.seen > MAX_PARTS {
            return Err(broken(format!("the body has more than {MAX_PARTS} parts")));
        }
        let disposition = field.headers().get(CONTENT_DISPOSITION).map_or(&b""[..], |value| value.as_bytes());
        let parameters = parameters(split(disposition).1);
        Ok(Some(Part { field, held: self.held.clone(), stall: self.stall, parameters }))
    }
}

impl Part<'_> {
    /// The name of the form's field.
    pub(crate) fn name(&self) -> Option<&str> {
        self.parameter("name")
    }

    /// The name of the file, as the client meant it.
    pub(crate) fn file_name(&self) -> Option<String> {
        file_name::meant(self.parameter("filename*"), self.parameter("filename"))
    }

    /// The next piece of the content.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        let chunk = within(self.stall, self.field.chunk()).await?;
        self.held.nothing();
        Ok(chunk)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let mut named = self.parameters.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }
}

async fn within<T>(stall: Duration, step: impl Future<Output = Result<T, Error>>) -> Result<T, Problem> {
    match tokio::time::timeout(stall, step).await {
        Ok(done) => done.map_err(|error| broken(describe(&error))),
        Err(_) => Err(ProblemCode::RequestTimeout.into()),
    }
}

fn broken(what: String) -> Problem {
    Problem::new(ProblemCode::BadRequest, what)
}

fn describe(error: &Error) -> String {
    match error {
        Error::StreamReadFailed(cause) => cause.to_string(),
        Error::IncompleteFieldData { .. } | Error::IncompleteHeaders | Error::IncompleteStream => {
            "the body is not multipart/form-data with this boundary, or it ends too early".to_owned()
        }
        _ => "the headers of a part cannot be read".to_owned(),
    }
}
