//! `GET /v1/events/{id}`: an event, where each of its deliveries stands, and who got none and why.

use axum::{Json, extract::State};
use domain::{
    clock::Millis,
    event::{Unmatched, UnmatchedFacts},
    id::{EndpointId, EventId, UserId},
    problem::ProblemCode,
};
use entity::{event::Model, event::queries::EndpointWithout};
use platform::database::DatabaseError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::delivery::DeliveryOut;
use crate::{app::App, auth::Reader, extract::Id, problem::Problem};

/// Most deliveries, and most endpoints without one, in a response.
const MAX_LISTED: usize = 1_000;

#[derive(Serialize)]
pub(crate) struct EventOut {
    id: EventId,
    user_id: Option<UserId>,
    r#type: String,
    data: Option<Box<RawValue>>,
    addressed: bool,
    created_at: String,
    deliveries: Vec<DeliveryOut>,
    more_deliveries: bool,
    unmatched: Vec<UnmatchedOut>,
    more_unmatched: bool,
}

#[derive(Serialize)]
struct UnmatchedOut {
    endpoint_id: EndpointId,
    reason: Unmatched,
    why: &'static str,
}

/// Shows an event.
pub(crate) async fn show(
    reader: Reader,
    Id(id): Id<EventId>,
    State(app): State<App>,
) -> Result<Json<EventOut>, Problem> {
    let broken = |error: DatabaseError| Problem::unavailable("an event cannot be read", error);
    let found =
        entity::event::queries::find(&app.context.database, reader.scope, id).await.map_err(broken)?;
    let event = found.ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such event"))?;
    let (deliveries, more_deliveries) = deliveries(&app, id).await.map_err(broken)?;
    let (unmatched, more_unmatched) = unmatched(&app, &event).await.map_err(broken)?;
    Ok(Json(EventOut {
        id,
        user_id: event.user_id.map(UserId),
        data: data(&event.body),
        addressed: event.addressed,
        created_at: Millis(event.created_at).rfc3339(),
        r#type: event.event_type,
        deliveries,
        more_deliveries,
        unmatched,
        more_unmatched,
    }))
}

async fn deliveries(app: &App, id: EventId) -> Result<(Vec<DeliveryOut>, bool), DatabaseError> {
    let database = &app.context.database;
    let time = database.statement_time(&app.context.clock);
    let rows = entity::event::queries::deliveries(database, id, time, one_more()).await?;
    Ok(bounded(rows, DeliveryOut::from))
}

/// An event without a user goes to the endpoints of all users: none of those is reported as missing.
async fn unmatched(app: &App, event: &Model) -> Result<(Vec<UnmatchedOut>, bool), DatabaseError> {
    let Some(user) = event.user_id.map(UserId) else {
        return Ok((vec![], false));
    };
    let rows =
        entity::event::queries::endpoints_without(&app.context.database, user, event, one_more()).await?;
    Ok(bounded(rows, |row| UnmatchedOut::of(&row, event)))
}

fn one_more() -> u64 {
    MAX_LISTED as u64 + 1
}

/// At most as many as are listed, and whether there are more.
fn bounded<Row, Out>(mut rows: Vec<Row>, out: impl FnMut(Row) -> Out) -> (Vec<Out>, bool) {
    let more = rows.len() > MAX_LISTED;
    rows.truncate(MAX_LISTED);
    (rows.into_iter().map(out).collect(), more)
}

/// The event's data as it came, out of the body that is sent.
fn data(body: &[u8]) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Body<'b> {
        #[serde(borrow)]
        data: Option<&'b RawValue>,
    }
    serde_json::from_slice::<Body<'_>>(body).ok()?.data.map(ToOwned::to_owned)
}

impl UnmatchedOut {
    fn of(row: &EndpointWithout, event: &Model) -> Self {
        let reason = Unmatched::from_facts(UnmatchedFacts {
            event_at: Millis(event.created_at),
            addressed: event.addressed,
            endpoint_at: Millis(row.created_at),
            deleted: row.lane_state == domain::delivery::LaneState::Deleted.as_str(),
            registered: row.registrations > 0,
        });
        Self { endpoint_id: row.id.into(), reason, why: reason.explanation() }
    }
}
