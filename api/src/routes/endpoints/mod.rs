//! `/v1/endpoints`: registered webhooks, made, shown, changed, paused, resumed and deleted by their owners.
//! Each write is one transaction that holds the endpoint's lane, so that of two at once neither is lost.

mod change;
mod create;
mod delete;
mod new;
mod pause;
mod show;
pub(crate) mod validate;
mod view;

pub(crate) use change::change;
pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use new::{Extras, NewEndpoint};
pub(crate) use pause::{pause, resume};
pub(crate) use show::{list, show};

use domain::problem::ProblemCode;
use entity::endpoint::event_types::WriteError;

use crate::problem::Problem;

/// Largest body, in bytes.
const MAX_BODY: usize = 256 * 1_024;

fn unknown() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such endpoint")
}

fn unreadable(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("endpoints cannot be read", error)
}

/// The problem of a write that failed. Event types can go between check and write.
impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Database(error) => unwritten(error),
            WriteError::UnknownTypes(indexes) => Self {
                errors: indexes.into_iter().map(validate::unknown_event_type).collect(),
                ..ProblemCode::ValidationFailed.into()
            },
        }
    }
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("an endpoint was not written", error)
}
