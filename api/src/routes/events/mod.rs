//! `POST /v1/events`, `POST /v1/events/batch` and `GET /v1/events/{id}`: publishing, and the deliveries of an event.

mod answer;
mod batch;
mod body_budget;
mod delivery;
mod members;
mod request;
mod show;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use web::middleware::RequestId;

use self::request::Wanted;
use crate::{app::App, auth::Publisher, extract::json_bytes, problem::Problem};

pub(crate) use answer::{Receipt, not_accepted, stored};
pub(crate) use batch::publish_batch;
pub(crate) use body_budget::reserve;
pub(crate) use show::show;

/// Largest body of one event, in bytes: data, 1,000 endpoint ids, a key of escapes.
const MAX_BODY: usize = 512 * 1_024;

/// Stores an event and a delivery for each recipient: 202; 200 for a repeat.
pub(crate) async fn publish(
    publisher: Publisher,
    State(app): State<App>,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let _budget = body_budget::reserve(&app, request.headers(), MAX_BODY)?;
    let header = request::key_header(request.headers());
    let body = json_bytes(request, MAX_BODY, &app.limits).await?;
    let wanted = Wanted::read(request::json(&body)?, header, app.context.clock.now())?;
    let publication = wanted.by(publisher.scope, &request_id)?;
    let published = app.accept.publish(publication).await.map_err(not_accepted)?;
    Ok(answer::answer(published)?.into_response())
}
