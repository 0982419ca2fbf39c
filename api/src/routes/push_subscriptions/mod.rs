//! `/api/push/…`: browsers that want to be told come and go by themselves. Open to everybody and paced: how many there
//! may be is bounded by the pace of each address alone. Nothing here tells anybody anything.

mod request;
mod store;
mod test;

use axum::{
    Json,
    extract::{Request, State},
};
use domain::delivery::Channel;
use serde::Serialize;

use self::request::Subscription;
use super::notify::not_set;
use crate::{app::App, problem::Problem, refusal::Refusal};

pub(crate) use test::test;

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

/// Keeps a subscription; one whose endpoint is known gets these keys. Without web push: 501.
pub(crate) async fn subscribe(State(app): State<App>, request: Request) -> Result<Json<Done>, Refusal> {
    public_key(&app)?;
    let subscription = Subscription::read(&app, request).await?;
    subscription.allowed_by(&app.guard)?;
    store::keep(&app, &subscription).await?;
    Ok(Json(Done { success: true }))
}

/// Forgets a subscription that has these keys; whether there was one.
pub(crate) async fn unsubscribe(State(app): State<App>, request: Request) -> Result<Json<Done>, Refusal> {
    public_key(&app)?;
    let subscription = Subscription::read(&app, request).await?;
    let success = store::forget(&app, &subscription).await?;
    Ok(Json(Done { success }))
}

/// What a browser needs to subscribe: it takes messages of whoever has the other half of this key.
pub(crate) async fn vapid_key(State(app): State<App>) -> Result<Json<PublicKey>, Problem> {
    Ok(Json(PublicKey { public_key: public_key(&app)?.to_owned() }))
}

fn public_key(app: &App) -> Result<&str, Problem> {
    let vapid = app.context.config.vapid.as_ref();
    vapid.map(|vapid| vapid.public_key.as_str()).ok_or_else(|| not_set(Some(Channel::WebPush)))
}
