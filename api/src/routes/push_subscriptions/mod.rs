//! `/api/push/…`: browsers subscribe and leave. Open without a key, so requests are rate limited, new subscriptions are
//! bounded per address and day, and those that no message has reached are bounded in total (docs/security.md).

mod bounds;
mod request;
mod store;
mod test;
mod unreached;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use domain::delivery::Channel;
use serde::Serialize;

use self::request::Subscription;
use super::notify::not_set;
use crate::{app::App, error_format::DetailError, middleware::too_many, problem::Problem};

pub(crate) use test::test;
pub(crate) use unreached::Unreached;

/// `{"success": …}`.
#[derive(Serialize)]
pub(crate) struct Done {
    success: bool,
}

/// `{"publicKey": …}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublicKey {
    public_key: String,
}

/// Stores a subscription; one whose endpoint is known gets these keys. Without web push: 501. A new one beyond the bounds:
/// 429 for its address, 503 for all together.
pub(crate) async fn subscribe(State(app): State<App>, request: Request) -> Result<Response, DetailError> {
    public_key(&app)?;
    let counted = app.authenticator.counted_address(&request);
    let subscription = Subscription::read(&app, request).await?;
    subscription.allowed_by(&app.guard, &app.context.config.push_services)?;
    if let Some(address) = counted
        && !store::is_stored(&app, &subscription).await?
        && let Err(wait) = bounds::admit(&app, address).await?
    {
        return Ok(too_many(wait));
    }
    store::keep(&app, &subscription).await?;
    Ok(Json(Done { success: true }).into_response())
}

/// Forgets a subscription that has these keys; whether there was one.
pub(crate) async fn unsubscribe(State(app): State<App>, request: Request) -> Result<Json<Done>, DetailError> {
    public_key(&app)?;
    let subscription = Subscription::read(&app, request).await?;
    let success = store::forget(&app, &subscription).await?;
    Ok(Json(Done { success }))
}

/// What a browser needs to subscribe: it takes messages that are signed with the private half of this key.
pub(crate) async fn vapid_key(State(app): State<App>) -> Result<Json<PublicKey>, Problem> {
    Ok(Json(PublicKey { public_key: public_key(&app)?.to_owned() }))
}

fn public_key(app: &App) -> Result<&str, Problem> {
    let vapid = app.context.config.vapid.as_ref();
    vapid.map(|vapid| vapid.public_key.as_str()).ok_or_else(|| not_set(Some(Channel::WebPush)))
}
