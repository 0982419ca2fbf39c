//! `POST /v1/events/batch`: many events in one call, each with its own outcome.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use domain::problem::ProblemCode;
use futures_util::future::join_all;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use web::middleware::RequestId;

use super::{
    answer::{Receipt, answer, not_accepted},
    body_budget,
    members::{Members, items},
    request::{self, Wanted},
};
use crate::{app::App, auth::Publisher, error_format, extract::json_bytes, problem::Problem};

/// Largest body of a batch, in bytes.
const MAX_BODY: usize = 8 * 1_024 * 1_024;
/// Most events of a batch.
const MAX_EVENTS: usize = 1_000;

#[derive(Serialize)]
struct Batch {
    data: Vec<Element>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Element {
    Stored(Receipt),
    Problem(Value),
}

/// Stores each event that can be stored: 202 with an outcome for each, in order.
pub(crate) async fn publish_batch(
    publisher: Publisher,
    State(app): State<App>,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let _budget = body_budget::reserve(&app, request.headers(), MAX_BODY)?;
    let header = request::key_header(request.headers());
    let body = json_bytes(request, MAX_BODY, &app.limits).await?;
    if !matches!(header, Ok(None)) {
        let rule = "belongs to one event: give each its idempotency_key";
        return Err(Problem::field(ProblemCode::ValidationFailed, "Idempotency-Key", rule));
    }
    // All at once, so that the committer takes them together.
    let outcomes = join_all(events(&body)?.into_iter().map(|event| one(&app, publisher, &request_id, event)));
    let data = outcomes.await.into_iter().map(|outcome| element(outcome, &request_id)).collect();
    Ok((StatusCode::ACCEPTED, Json(Batch { data })).into_response())
}

fn events(body: &[u8]) -> Result<Vec<&RawValue>, Problem> {
    let mut members = Members::of(request::json(body)?)?;
    let events = members.raw("events").and_then(|events| items(events, MAX_EVENTS));
    if events.as_ref().is_none_or(Vec::is_empty) {
        members.fault("events", format!("must be an array of 1 to {MAX_EVENTS} events"));
    }
    members.done()?;
    Ok(events.unwrap_or_default())
}

async fn one(
    app: &App,
    publisher: Publisher,
    request_id: &RequestId,
    event: &RawValue,
) -> Result<Receipt, Problem> {
    let wanted = Wanted::read(event, Ok(None), app.context.clock.now())?;
    let publication = wanted.by(publisher.scope, request_id)?;
    answer(app.accept.publish(publication).await.map_err(not_accepted)?)
}

fn element(outcome: Result<Receipt, Problem>, request_id: &RequestId) -> Element {
    match outcome {
        Ok(receipt) => Element::Stored(receipt),
        Err(problem) => Element::Problem(error_format::details(&problem, request_id.as_str())),
    }
}
