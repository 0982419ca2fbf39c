//! Responses to publications.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use domain::{
    id::EventId,
    problem::{FieldError, ProblemCode},
};
use http::StatusCode;
use serde::Serialize;

use crate::{
    accept::{AcceptError, Published},
    problem::Problem,
};

/// Most endpoints at fault that one answer names.
const NAMED: usize = 32;

/// A stored event.
#[derive(Debug, Serialize)]
pub(crate) struct Receipt {
    id: EventId,
    deliveries: usize,
    #[serde(skip)]
    is_repeat: bool,
}

impl IntoResponse for Receipt {
    fn into_response(self) -> Response {
        let status = if self.is_repeat { StatusCode::OK } else { StatusCode::ACCEPTED };
        (status, Json(self)).into_response()
    }
}

/// The receipt, or why there is none.
pub(super) fn answer(published: Published) -> Result<Receipt, Problem> {
    match published {
        Published::Stored { id, deliveries } => Ok(stored(id, deliveries)),
        Published::Repeated { id, deliveries } => Ok(Receipt { is_repeat: true, ..stored(id, deliveries) }),
        Published::KeyTaken => Err(ProblemCode::IdempotencyKeyTaken.into()),
        Published::UnknownType => {
            Err(Problem::field(ProblemCode::ValidationFailed, "type", "is not the name of an event type"))
        }
        Published::NotRecipients(places) => Err(not_recipients(&places)),
    }
}

/// The receipt of an event that was stored just now.
pub(crate) const fn stored(id: EventId, deliveries: usize) -> Receipt {
    Receipt { id, deliveries, is_repeat: false }
}

fn not_recipients(places: &[usize]) -> Problem {
    let fault = |place| FieldError::new(format!("endpoint_ids[{place}]"), "is not an endpoint of the user");
    let errors = places.iter().take(NAMED).map(fault).collect();
    Problem { errors, ..ProblemCode::ValidationFailed.into() }
}

/// Why nothing was accepted, or why the outcome is unknown.
pub(crate) fn not_accepted(error: AcceptError) -> Problem {
    match error {
        AcceptError::Refused => Problem::internal("an event was refused by the database", error),
        AcceptError::Unavailable => Problem::unavailable("an event was not accepted", error),
        AcceptError::Unknown => {
            let problem = Problem::unavailable("the outcome of an accept is not known", error);
            let detail = "it is not known whether the event was stored; with the same idempotency key it is safe to repeat";
            Problem { detail: detail.into(), ..problem }
        }
    }
}
