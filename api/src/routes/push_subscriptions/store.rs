//! Push subscriptions in the database, one an endpoint.

use domain::{
    id::{LaneId, PushSubscriptionId},
    notification::{UNPROVEN_PUSH_LANE, push_lane},
};
use entity::push_subscription::{
    Model, queries,
    store::{subscribe, unsubscribe},
};
use subtle::ConstantTimeEq;

use super::request::Subscription;
use crate::{app::App, problem::Problem};

/// Writes it, and the lane of a known push service, in one transaction.
pub(super) async fn keep(app: &App, subscription: &Subscription) -> Result<(), Problem> {
    let is_known_service = subscription.is_at_a_known_service(&app.context.config.push_services);
    let (database, time) = (&app.context.database, app.context.database.statement_time(&app.context.clock));
    subscribe(database, &row(subscription), is_known_service, time).await.map_err(unwritten)
}

/// Whether a subscription of this endpoint is stored, with whatever keys.
pub(super) async fn is_stored(app: &App, subscription: &Subscription) -> Result<bool, Problem> {
    let found = queries::at(&app.context.database, subscription.target.endpoint());
    found.await.map(|found| found.is_some()).map_err(unread)
}

/// How many subscriptions no message has reached yet, counted up to `most`.
pub(super) async fn unreached(app: &App, most: u64) -> Result<u64, Problem> {
    queries::unreached(&app.context.database, most).await.map_err(unread)
}

/// The lane that deliveries to this subscription go by.
pub(super) async fn lane(app: &App, row: &Model) -> Result<LaneId, Problem> {
    let has_own = queries::has_own_lane(&app.context.database, row);
    let has_own = has_own.await.map_err(unread)?;
    Ok(if has_own { LaneId(row.lane_id) } else { UNPROVEN_PUSH_LANE })
}

/// What has this endpoint and these keys, if it is stored. To know the endpoint alone is not enough.
pub(super) async fn find(app: &App, subscription: &Subscription) -> Result<Option<Model>, Problem> {
    let found = queries::at(&app.context.database, subscription.target.endpoint());
    Ok(found.await.map_err(unread)?.filter(|row| has_keys(row, subscription)))
}

/// Removes what has this endpoint and these keys; whether it did.
pub(super) async fn forget(app: &App, subscription: &Subscription) -> Result<bool, Problem> {
    match find(app, subscription).await? {
        // Only while it still has the keys that were looked at.
        Some(row) => {
            unsubscribe(&app.context.database, row.id, &row.p256dh, &row.auth).await.map_err(unwritten)
        }
        None => Ok(false),
    }
}

fn has_keys(row: &Model, subscription: &Subscription) -> bool {
    (row.auth.ct_eq(&subscription.auth) & row.p256dh.ct_eq(&subscription.p256dh)).into()
}

/// Its times are set when it is written.
fn row(subscription: &Subscription) -> Model {
    Model {
        id: PushSubscriptionId::new().0,
        endpoint: subscription.target.endpoint().to_owned(),
        lane_id: push_lane(&subscription.target.origin()).0,
        p256dh: subscription.p256dh.clone(),
        auth: subscription.auth.clone(),
        user_id: subscription.user_id.map(|user| user.0),
        created_at: 0,
        updated_at: 0,
        reached_at: None,
    }
}

fn unread(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("push subscriptions cannot be read", error)
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("a push subscription was not written", error)
}
