//! The one id in a path, as its own type.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use domain::problem::ProblemCode;
use http::request::Parts;

use crate::problem::Problem;

/// The single parameter of the path, parsed; 400 names it when it is not a UUID.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::new(ProblemCode::BadRequest, "the path is not UTF-8"))?;
        let Some((name, value)) = params.iter().next() else {
            return Err(Problem::internal("a route without a parameter asks for an id", parts.uri.path()));
        };
        value.parse().map(Self).map_err(|_| Problem::field(ProblemCode::BadRequest, name, "is not a UUID"))
    }
}
