//! One upload: what came in, and what was found out about it.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, State, rejection::PathRejection};
use domain::{clock::Millis, id::UploadId};
use entity::upload::{Model, queries::find_with_url};
use uuid::Uuid;

use crate::{
    app::App,
    format::{
        badge::{Badge, Tone},
        json::laid_out,
        number::bytes,
        time::Moment,
    },
    layout::Layout,
    problem::Problem,
};

/// An upload's page.
#[derive(Template, WebTemplate)]
#[template(path = "upload/page.html")]
pub(crate) struct UploadPage {
    layout: Layout,
    upload: Model,
    badge: Badge,
    endpoint: String,
    size: String,
    facts: Option<String>,
    accepted: Moment,
    finished: Option<Moment>,
}

/// Shows an upload.
pub(crate) async fn page(
    State(app): State<App>,
    layout: Layout,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<UploadPage, Problem> {
    let Path(id) = id.map_err(|_| Problem::NotFound)?;
    let found = find_with_url(&app.sources.database, UploadId(id)).await?;
    let (upload, url) = found.ok_or(Problem::NotFound)?;
    let now = app.sources.clock.now();
    Ok(UploadPage {
        layout,
        badge: badge(&upload, now),
        endpoint: url.unwrap_or_else(|| upload.endpoint_id.to_string()),
        size: bytes(u64::try_from(upload.size_bytes).unwrap_or(0)),
        facts: upload.facts.as_deref().map(|facts| laid_out(facts).unwrap_or_else(|| facts.to_owned())),
        accepted: Moment::new(Millis(upload.created_at), now),
        finished: upload.finished_at.map(|at| Moment::new(Millis(at), now)),
        upload,
    })
}

fn badge(upload: &Model, now: Millis) -> Badge {
    match upload.state.as_str() {
        "received" if upload.lease_until > now.0 => Badge::new(Tone::Busy, "Processing"),
        "received" => Badge::new(Tone::Calm, "Received"),
        "processed" => Badge::new(Tone::Good, "Processed"),
        "failed" => Badge::new(Tone::Bad, "Failed"),
        other => Badge::new(Tone::Mute, other),
    }
}
