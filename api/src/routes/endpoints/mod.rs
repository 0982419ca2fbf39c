//! `/v1/endpoints`: registered webhooks, made, shown, changed, paused, resumed and deleted by their owners.
//! Each write is one transaction that holds the endpoint's lane, so that of two at once neither is lost.

mod change;
mod create;
mod delete;
mod moment;
mod new;
pub(crate) mod rules;
mod show;
mod switch;
mod types;
mod view;

pub(crate) use change::change;
pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use new::{Extras, NewEndpoint};
pub(crate) use show::{list, show};
pub(crate) use switch::{pause, resume};
pub(crate) use types::WriteError;

use domain::problem::ProblemCode;

use crate::problem::Problem;

/// Largest body, in bytes.
const MAX_BODY: usize = 256 * 1_024;

fn unknown() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such endpoint")
}

fn unreadable(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("endpoints cannot be read", error)
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("an endpoint was not written", error)
}
