//! Notifications: `POST /api/notify` and its like tell every recipient of some channels, `POST /webhook/update` announces the
//! notices that have not gone out yet. The answer comes when the work is durable, never after it is done, unless the caller
//! prefers to wait.

mod answer;
mod prefer_wait;
mod request;
mod update;

use axum::{
    extract::{Request, State},
    response::Response,
};
use domain::{delivery::Channel, notification::Notification, problem::ProblemCode};
use entity::broadcast::queries::Recipients;
use web::middleware::RequestId;

use self::{answer::Results, prefer_wait::PreferWait, request::Wanted};
use crate::{
    accept::{AcceptError, Audience, NewNotification},
    app::App,
    auth::Administrator,
    error_format::DetailError,
    problem::Problem,
    search,
};

pub(crate) use update::update;

/// Tells every recipient of the named channels, of all that are set by default.
pub(crate) async fn all(
    _: Administrator,
    State(app): State<App>,
    request_id: RequestId,
    request: Request,
) -> Result<Response, DetailError> {
    tell(&app, &request_id, request, None).await
}

/// Tells every chat.
pub(crate) async fn telegram(
    _: Administrator,
    State(app): State<App>,
    request_id: RequestId,
    request: Request,
) -> Result<Response, DetailError> {
    tell(&app, &request_id, request, Some(Channel::Telegram)).await
}

/// Tells every browser.
pub(crate) async fn web_push(
    _: Administrator,
    State(app): State<App>,
    request_id: RequestId,
    request: Request,
) -> Result<Response, DetailError> {
    tell(&app, &request_id, request, Some(Channel::WebPush)).await
}

async fn tell(
    app: &App,
    request_id: &RequestId,
    request: Request,
    only: Option<Channel>,
) -> Result<Response, DetailError> {
    let preference = PreferWait::of(request.headers());
    let wanted = Wanted::read(app, request, only).await?;
    let audience = audience(app, &wanted.channels).await?;
    let accepted_at = app.context.clock.now();
    let announced = announce(app, request_id, wanted.notification, audience).await?;
    let results = Results::of(&announced.audience);
    match preference {
        Some(preference) => preference.wait(app, &announced, accepted_at, results).await,
        None => Ok(results.into_response()),
    }
}

/// Who there is to tell.
async fn audience(app: &App, channels: &[Channel]) -> Result<Vec<Audience>, Problem> {
    let chat = app.context.config.telegram.as_ref().and_then(|telegram| telegram.chat_id.as_deref());
    let mut audience = Vec::with_capacity(channels.len());
    for &channel in channels {
        let counted: Vec<Recipients> =
            search::look(app, &entity::broadcast::queries::recipients(channel, chat)).await?;
        let total = counted.first().map_or(0, |counted| counted.recipients);
        audience.push(Audience { channel, total });
    }
    Ok(audience)
}

async fn announce(
    app: &App,
    request_id: &RequestId,
    notification: Notification,
    audience: Vec<Audience>,
) -> Result<crate::accept::Announced, Problem> {
    let request_id = Some(request_id.as_str().to_owned());
    let new = NewNotification { notification, audience, request_id };
    app.accept.notify(new).await.map_err(not_accepted)
}

pub(crate) fn not_accepted(error: AcceptError) -> Problem {
    match error {
        AcceptError::Refused => Problem::internal("a notification was refused by the database", error),
        AcceptError::Unavailable => Problem::unavailable("a notification was not accepted", error),
        AcceptError::Unknown => {
            let problem = Problem::unavailable("the outcome of an accept is not known", error);
            Problem { detail: "it is not known whether the notification was stored".into(), ..problem }
        }
    }
}

/// The channels that are set in this process, in the order of their names.
fn channels_set(app: &App) -> Vec<Channel> {
    [Channel::Telegram, Channel::WebPush].into_iter().filter(|channel| is_set(app, *channel)).collect()
}

fn is_set(app: &App, channel: Channel) -> bool {
    let config = &app.context.config;
    match channel {
        Channel::Telegram => config.telegram.is_some(),
        Channel::WebPush => config.vapid.is_some(),
        Channel::Webhook => false,
    }
}

/// The refusal of what needs a channel that is not set; none: any channel.
pub(crate) fn not_set(channel: Option<Channel>) -> Problem {
    Problem::new(
        ProblemCode::NotConfigured,
        match channel {
            Some(Channel::Telegram) => "Telegram is not set here: it needs TELEGRAM_BOT_TOKEN",
            Some(_) => {
                "web push is not set here: it needs VAPID_PRIVATE_KEY, VAPID_PUBLIC_KEY and VAPID_EMAIL"
            }
            None => {
                "no channel is set here: web push needs the VAPID settings, Telegram needs TELEGRAM_BOT_TOKEN"
            }
        },
    )
}
