//! `POST /api/push/test`: a browser sends itself a notification, by the way that all of them go. Only one that shows its keys
//! can, and only that browser is notified.

use axum::{
    Json,
    extract::{Request, State},
};
use domain::{id::PushSubscriptionId, notification::Notification};
use web::middleware::RequestId;

use super::{Done, public_key, request::Subscription, store};
use crate::{accept::NewPersonal, app::App, error_format::DetailError, routes::notify::not_accepted};

const TITLE: &str = "It works";
const MESSAGE: &str = "This is a test. What is announced will come to this browser like this.";

/// Stores a test for this subscription, if it is stored with these keys; whether it is.
pub(crate) async fn test(
    State(app): State<App>,
    request_id: RequestId,
    request: Request,
) -> Result<Json<Done>, DetailError> {
    public_key(&app)?;
    let subscription = Subscription::read(&app, request).await?;
    let Some(row) = store::find(&app, &subscription).await? else {
        return Ok(Json(Done { success: false }));
    };
    let personal = NewPersonal {
        // Without an address of its own a click leads back to the page.
        notification: Notification {
            title: Some(TITLE.to_owned()),
            message: MESSAGE.to_owned(),
            url: None,
            notice_id: None,
        },
        subscription_id: PushSubscriptionId(row.id),
        lane_id: store::lane(&app, &row).await?,
        request_id: Some(request_id.as_str().to_owned()),
    };
    app.accept.tell(personal).await.map_err(not_accepted)?;
    Ok(Json(Done { success: true }))
}
