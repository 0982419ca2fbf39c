//! `POST /webhook/update`: every notice goes out on the channels that it has not gone out on. Each is taken by a unique row
//! when it is accepted, so two calls at once, or one after a failure, announce none twice.

use axum::{extract::State, response::Response};
use entity::broadcast::queries::Unsent;
use futures_util::future::try_join_all;
use uuid::Uuid;
use web::middleware::RequestId;

use super::{announce, answer::Results, audience, channels_set, not_set};
use crate::{
    accept::Audience, app::App, auth::Administrator, error_format::DetailError, problem::Problem, search,
};

/// Notices that are accepted together.
const PAGE: i64 = 200;

/// Announces what has not been announced.
pub(crate) async fn update(
    _: Administrator,
    State(app): State<App>,
    request_id: RequestId,
) -> Result<Response, DetailError> {
    let channels = channels_set(&app);
    if channels.is_empty() {
        return Err(not_set(None).into());
    }
    let audience = audience(&app, &channels).await?;
    let mut results = Results::of_notices(channels.iter().map(|channel| channel.as_str()));
    let mut after = Uuid::nil();
    loop {
        let page: Vec<Unsent> =
            search::look(&app, &entity::broadcast::queries::unsent(&channels, after, PAGE)).await?;
        let Some(last) = page.last() else { return Ok(results.into_response()) };
        after = last.id();
        for taken in go_out(&app, &request_id, page, &audience).await? {
            results.add_notice(&taken);
        }
    }
}

/// On which channels each notice goes out now.
async fn go_out(
    app: &App,
    request_id: &RequestId,
    page: Vec<Unsent>,
    audience: &[Audience],
) -> Result<Vec<Vec<Audience>>, Problem> {
    let each = page.into_iter().map(|notice| async {
        let announced = announce(app, request_id, notice.into_notification(), audience.to_vec()).await?;
        Ok::<_, Problem>(announced.audience)
    });
    try_join_all(each).await
}
