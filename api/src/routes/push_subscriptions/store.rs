//! Push subscriptions in the database, one an endpoint.

use domain::{id::PushSubscriptionId, notification::push_lane};
use entity::{
    bulk::notification::{postgres, sqlite},
    push_subscription::Model,
    queries,
};
use platform::database::{DatabaseError, Tx};
use subtle::ConstantTimeEq;

use super::request::Subscription;
use crate::{app::App, problem::Problem};

/// Writes it, and the lane of its push service, in one transaction.
pub(super) async fn keep(app: &App, subscription: &Subscription) -> Result<(), Problem> {
    write(app, &row(subscription)).await.map_err(unwritten)
}

/// What has this endpoint and these keys, if it is stored. To know the endpoint alone is not enough.
pub(super) async fn find(app: &App, subscription: &Subscription) -> Result<Option<Model>, Problem> {
    let found = queries::push_subscription::at(app.context.database.reader(), subscription.target.endpoint());
    let found =
        found.await.map_err(|error| Problem::unavailable("push subscriptions cannot be read", error))?;
    Ok(found.filter(|row| has_keys(row, subscription)))
}

/// Removes what has this endpoint and these keys; whether it did.
pub(super) async fn forget(app: &App, subscription: &Subscription) -> Result<bool, Problem> {
    match find(app, subscription).await? {
        Some(row) => remove(app, &row).await.map_err(unwritten),
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
    }
}

async fn write(app: &App, row: &Model) -> Result<(), DatabaseError> {
    let time = app.context.database.statement_time(&app.context.clock);
    let mut tx = app.context.database.begin().await?;
    match &mut tx {
        Tx::Postgres(tx) => postgres::subscribe(tx, row, time).await?,
        Tx::Sqlite(tx) => sqlite::subscribe(tx, row, time).await?,
    }
    tx.commit().await
}

/// Only while it still has the keys that were looked at: who has subscribed anew since then stays.
async fn remove(app: &App, row: &Model) -> Result<bool, DatabaseError> {
    let mut tx = app.context.database.begin().await?;
    let removed = match &mut tx {
        Tx::Postgres(tx) => postgres::unsubscribe(tx, row.id, &row.p256dh, &row.auth).await?,
        Tx::Sqlite(tx) => sqlite::unsubscribe(tx, row.id, &row.p256dh, &row.auth).await?,
    };
    tx.commit().await?;
    Ok(removed)
}

fn unwritten(error: impl std::fmt::Display) -> Problem {
    Problem::unavailable("a push subscription was not written", error)
}
