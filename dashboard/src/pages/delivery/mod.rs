//! One delivery: where it stands and why, and every attempt with what came back.

mod attempt;

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, State, rejection::PathRejection};
use domain::{
    clock::Millis,
    delivery::{explain, next_attempt},
    id::{DeliveryId, EventId},
};
use entity::delivery::queries::{self, Row};
use platform::database::DatabaseError;
use serde::Deserialize;
use uuid::Uuid;

use self::attempt::AttemptView;
use crate::{
    app::App,
    format::{badge::Badge, body::Body, status::DisplayStatus, time::Moment},
    layout::Layout,
    problem::Problem,
};

/// Most attempts that a page shows: four default schedules.
const SHOWN: usize = 40;

/// The part of the page that stays live.
#[derive(Template, WebTemplate)]
#[template(path = "delivery/delivery.html")]
pub(crate) struct Delivery {
    row: Row,
    badge: Badge,
    why: String,
    event_type: String,
    attempts: Vec<AttemptView>,
    older_attempts: usize,
    accepted: Moment,
    next: Option<Moment>,
    ended: Option<Moment>,
    body: Option<Body>,
    upload: Option<Uuid>,
}

/// A delivery's page.
#[derive(Template, WebTemplate)]
#[template(path = "delivery/page.html")]
pub(crate) struct DeliveryPage {
    layout: Layout,
    delivery: Delivery,
}

/// Shows a delivery.
pub(crate) async fn page(
    State(app): State<App>,
    layout: Layout,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<DeliveryPage, Problem> {
    Ok(DeliveryPage { layout, delivery: load(&app, id).await? })
}

/// The same, for the page that fetches itself again.
pub(crate) async fn fragment(
    State(app): State<App>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Delivery, Problem> {
    load(&app, id).await
}

async fn load(app: &App, id: Result<Path<Uuid>, PathRejection>) -> Result<Delivery, Problem> {
    let Path(id) = id.map_err(|_| Problem::NotFound)?;
    let (database, id) = (&app.sources.database, DeliveryId(id));
    let time = database.statement_time(&app.sources.clock);
    let row = queries::load(database, time, id).await?.ok_or(Problem::NotFound)?;
    let attempts = attempts(app, id).await?;
    let body = queries::body(database, id, EventId(row.event_id)).await?;
    let now = app.sources.clock.now();
    let facts = row.facts(attempts.first(), row.own_schedule().unwrap_or(app.settings.attempts));
    let (why, next) = (explain(&facts), next_attempt(&facts));
    Ok(Delivery {
        badge: DisplayStatus::of(&row, now).badge(),
        why,
        event_type: row.event_type.clone().unwrap_or_else(|| "event".to_owned()),
        older_attempts: usize::try_from(row.attempts).unwrap_or(0).saturating_sub(attempts.len()),
        attempts: attempts.iter().enumerate().map(|(at, row)| AttemptView::of(row, at == 0, now)).collect(),
        accepted: Moment::new(Millis(row.created_at), now),
        next: next.map(|at| Moment::new(at, now)),
        ended: row.finished_at.map(|at| Moment::new(Millis(at), now)),
        upload: body.as_deref().and_then(upload_of),
        body: body.as_deref().map(Body::of),
        row,
    })
}

/// The newest attempts, newest first.
async fn attempts(app: &App, id: DeliveryId) -> Result<Vec<entity::attempt::Model>, DatabaseError> {
    let mut attempts = queries::attempts(&app.sources.database, id).await?;
    attempts.truncate(SHOWN);
    Ok(attempts)
}

/// The upload that an event is about.
fn upload_of(body: &[u8]) -> Option<Uuid> {
    #[derive(Deserialize)]
    struct Event {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        upload_id: Uuid,
    }
    serde_json::from_slice::<Event>(body).ok().map(|event| event.data.upload_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_found_in_its_event_only() {
        let id = Uuid::from_u128(7);
        assert_eq!(upload_of(format!(r#"{{"data":{{"upload_id":"{id}"}}}}"#).as_bytes()), Some(id));
        assert_eq!(upload_of(br#"{"data":{"upload_id":"no id"}}"#), None);
        assert_eq!(upload_of(b"not json"), None);
    }
}
