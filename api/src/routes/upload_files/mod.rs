//! `POST /upload_file/webhook_id/{webhook_id}`: a file for one webhook.
//! Answered when file and row are durable, before anybody looks into the file.

mod receive;

use std::time::Instant;

use axum::{
    body::Body,
    extract::{Request, State},
};
use domain::{
    id::{EndpointId, UserId},
    problem::ProblemCode,
};
use entity::endpoint;
use http::HeaderMap;
use platform::telemetry::names;
use serde_json::{Map, Value};
use tracing::Instrument;
use web::middleware::RequestId;

use self::receive::Received;
use super::envelope::Envelope;
use crate::{
    accept::{AcceptError, NewUpload},
    app::App,
    auth::Publisher,
    extract::{Id, announced, linger, refuse_body},
    multipart,
    problem::Problem,
};

/// What a body may have beside its file: other parts, headers, boundaries.
const OVERHEAD: u64 = 2 * 1_024 * 1_024;

/// Takes the file in.
pub(crate) async fn receive(
    publisher: Publisher,
    Id(webhook_id): Id<EndpointId>,
    State(app): State<App>,
    request_id: RequestId,
    request: Request,
) -> Result<Envelope<Map<String, Value>>, Problem> {
    let start = Instant::now();
    let (endpoint, boundary) = match before_the_body(&app, publisher, webhook_id, request.headers()).await {
        Ok(checked) => checked,
        Err(problem) => {
            refuse_body(request);
            return Err(problem);
        }
    };
    let _place = app.uploading.try_acquire().map_err(|_| ProblemCode::Overloaded)?;
    let received = body(&app, request.into_body(), boundary).await?;
    // From here on the caller may leave: file and row are written together, or not at all.
    let stored = tokio::spawn(store(app.clone(), endpoint, received, request_id).in_current_span()).await;
    stored.map_err(|error| Problem::internal("storing an upload failed", error))??;
    metrics::histogram!(names::UPLOAD_SECONDS).record(start.elapsed().as_secs_f64());
    Ok(Envelope::of("ok", Map::new()))
}

/// Everything that can be said without reading the body.
async fn before_the_body(
    app: &App,
    publisher: Publisher,
    webhook_id: EndpointId,
    headers: &HeaderMap,
) -> Result<(endpoint::Model, String), Problem> {
    let boundary = multipart::boundary(headers)?;
    let most = app.context.config.max_upload_bytes;
    if announced(headers).is_some_and(|length| length > most.saturating_add(OVERHEAD)) {
        return Err(receive::too_large(most));
    }
    let found = entity::endpoint::queries::find(&app.context.database, publisher.scope, webhook_id).await;
    let endpoint = found.map_err(|error| Problem::unavailable("an endpoint cannot be read", error))?;
    let unknown = || Problem::field(ProblemCode::NotFound, "webhook_id", "there is no such webhook");
    Ok((endpoint.ok_or_else(unknown)?, boundary))
}

async fn body(app: &App, mut body: Body, boundary: String) -> Result<Received, Problem> {
    let received = tokio::time::timeout(app.limits.upload, receive::receive(app, &mut body, boundary)).await;
    received.unwrap_or_else(|_| Err(ProblemCode::RequestTimeout.into())).inspect_err(|_| linger(body))
}

async fn store(
    app: App,
    endpoint: endpoint::Model,
    received: Received,
    request_id: RequestId,
) -> Result<(), Problem> {
    let size_bytes = received.file.finish().await.map_err(|error| receive::not_stored(&error))?;
    let upload = NewUpload {
        id: received.id,
        endpoint_id: endpoint.id.into(),
        user_id: UserId(endpoint.user_id),
        file_name: received.name.as_str().to_owned(),
        storage_key: received.key,
        size_bytes,
        request_id: Some(request_id.as_str().to_owned()),
    };
    let (upload_id, key) = (upload.id, upload.storage_key.clone());
    match app.accept.upload(upload).await {
        Ok(()) => tracing::info!(%upload_id, endpoint_id = %endpoint.id, size_bytes, "upload accepted"),
        Err(error) => {
            clean_up(&app, &key, error).await;
            return Err(not_accepted(error));
        }
    }
    Ok(())
}

fn not_accepted(error: AcceptError) -> Problem {
    match error {
        AcceptError::Refused => Problem::internal("an upload was refused by the database", error),
        AcceptError::Unavailable | AcceptError::Unknown => {
            Problem::unavailable("an upload was not accepted", error)
        }
    }
}

/// Removes the file where surely no row names it. After an unknown outcome it stays; maintenance removes files without a row.
async fn clean_up(app: &App, key: &str, error: AcceptError) {
    if error == AcceptError::Unknown {
        return;
    }
    if let Err(error) = app.context.storage.delete(key).await {
        tracing::warn!(key, %error, "a file without a row was left behind");
    }
}
