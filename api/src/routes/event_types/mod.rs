//! `GET /event_type`: what a webhook can be registered for.

pub(crate) mod manage;

use axum::extract::State;
use domain::id::EventTypeId;
use serde::Serialize;

use super::envelope::Envelope;
use crate::{app::App, auth::Reader, problem::Problem};

#[derive(Serialize)]
pub(crate) struct Listed {
    id: EventTypeId,
    name: String,
    description: String,
}

/// Every event type, by name.
pub(crate) async fn list(_: Reader, State(app): State<App>) -> Result<Envelope<Vec<Listed>>, Problem> {
    let rows = entity::event_type::queries::by_name(&app.context.database)
        .await
        .map_err(|error| Problem::unavailable("event types cannot be read", error))?;
    let mut listed: Vec<Listed> = rows
        .into_iter()
        .map(|row| Listed { id: row.id.into(), name: row.name, description: row.description })
        .collect();
    // Databases disagree about the order of text.
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Envelope::of("Successfully !", listed))
}
