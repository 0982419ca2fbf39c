//! Push subscriptions by what their browsers know of them, and how many have never been reached.

use platform::database::{Database, DatabaseError};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};

use crate::{
    lane,
    push_subscription::{Column, Entity, Model},
};

/// The subscription of this endpoint, if there is one. Knowing its address is not enough to read it.
///
/// # Errors
/// Those of the database.
pub async fn at(database: &Database, endpoint: &str) -> Result<Option<Model>, DatabaseError> {
    Ok(Entity::find().filter(Column::Endpoint.eq(endpoint)).one(database.reader()).await?)
}

/// Whether its push service has a lane of its own.
///
/// # Errors
/// Those of the database.
pub async fn has_own_lane(database: &Database, subscription: &Model) -> Result<bool, DatabaseError> {
    Ok(lane::Entity::find_by_id(subscription.lane_id).one(database.reader()).await?.is_some())
}

/// How many subscriptions no message has reached yet, counted up to `most`.
///
/// # Errors
/// Those of the database.
pub async fn unreached(database: &Database, most: u64) -> Result<u64, DatabaseError> {
    // sea-orm's own count leaves a LIMIT out.
    let sql = format!(
        "SELECT count(*) AS found FROM (SELECT 1 FROM push_subscription WHERE reached_at IS NULL LIMIT {most}) AS some_rows"
    );
    let db = database.reader();
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let found: i64 = row.map_or(Ok(0), |row| row.try_get("", "found"))?;
    Ok(u64::try_from(found).unwrap_or(0))
}
