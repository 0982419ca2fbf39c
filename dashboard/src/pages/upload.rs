//! One upload: what came in, and what was found out about it.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, State, rejection::PathRejection};
use domain::clock::Millis;
use entity::upload::Model;
use uuid::Uuid;

use crate::{
    app::App,
    frame::Frame,
    problem::Problem,
    queries::uploads,
    show::{
        json::laid_out,
        moment::Moment,
        number::bytes,
        pill::{Pill, Tone},
    },
};

/// An upload's page.
#[derive(Template, WebTemplate)]
#[template(path = "upload/page.html")]
pub(crate) struct UploadPage {
    frame: Frame,
    upload: Model,
    pill: Pill,
    endpoint: String,
    size: String,
    facts: Option<String>,
    accepted: Moment,
    finished: Option<Moment>,
}

/// Shows an upload.
pub(crate) async fn page(
    State(app): State<App>,
    frame: Frame,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<UploadPage, Problem> {
    let Path(id) = id.map_err(|_| Problem::NotFound)?;
    let found = uploads::find(app.sources.database.reader(), id).await?;
    let (upload, url) = found.ok_or(Problem::NotFound)?;
    let now = app.sources.clock.now();
    Ok(UploadPage {
        frame,
        pill: pill(&upload, now),
        endpoint: url.unwrap_or_else(|| upload.endpoint_id.to_string()),
        size: bytes(u64::try_from(upload.size_bytes).unwrap_or(0)),
        facts: upload.facts.as_deref().map(|facts| laid_out(facts).unwrap_or_else(|| facts.to_owned())),
        accepted: Moment::new(Millis(upload.created_at), now),
        finished: upload.finished_at.map(|at| Moment::new(Millis(at), now)),
        upload,
    })
}

fn pill(upload: &Model, now: Millis) -> Pill {
    match upload.state.as_str() {
        "received" if upload.lease_until > now.0 => Pill::new(Tone::Busy, "Processing"),
        "received" => Pill::new(Tone::Calm, "Received"),
        "processed" => Pill::new(Tone::Good, "Processed"),
        "failed" => Pill::new(Tone::Bad, "Failed"),
        other => Pill::new(Tone::Mute, other),
    }
}
