//! Endpoints as readers see them: with their lanes and their event types, at a time of the database.

use std::collections::HashMap;

use domain::{clock::Millis, id::EndpointId};
use platform::{
    clock::Clock,
    database::{Database, DatabaseError},
};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{
    Model,
    queries::{self, Filter, WithLane},
};
use crate::{db_now::db_now, lane, scope::Scope};

/// An endpoint with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    /// The endpoint.
    pub endpoint: Model,
    /// Its lane.
    pub lane: lane::Model,
    /// The names of the event types that it is registered for, sorted.
    pub event_types: Vec<String>,
    /// The database's time of the reading.
    pub now: Millis,
}

/// Returns the endpoint, if there is one that `scope` may see and that was not deleted.
///
/// # Errors
/// Those of the database.
pub async fn find(
    database: &Database,
    clock: &Clock,
    scope: Scope,
    id: EndpointId,
) -> Result<Option<EndpointView>, DatabaseError> {
    Ok(find_within(database.reader(), clock, scope, id).await?)
}

/// Returns at most `limit` endpoints that `scope` may see and `filter` lets through, newest first.
///
/// # Errors
/// Those of the database.
pub async fn page(
    database: &Database,
    clock: &Clock,
    scope: Scope,
    filter: Filter,
    limit: u64,
) -> Result<Vec<EndpointView>, DatabaseError> {
    let rows = queries::page(database.reader(), scope, filter, limit).await?;
    Ok(complete(database.reader(), clock, rows).await?)
}

/// Returns the endpoint as `db` has it now: within the transaction that changed it, too.
pub(super) async fn find_within(
    db: &impl ConnectionTrait,
    clock: &Clock,
    scope: Scope,
    id: EndpointId,
) -> Result<Option<EndpointView>, DbErr> {
    let found = queries::find_with_lane(db, scope, id).await?;
    Ok(complete(db, clock, found.into_iter().collect()).await?.pop())
}

/// Reads what belongs to these endpoints; keeps their order.
async fn complete(
    db: &impl ConnectionTrait,
    clock: &Clock,
    rows: Vec<WithLane>,
) -> Result<Vec<EndpointView>, DbErr> {
    let now = db_now(clock, db).await?;
    let mut names: HashMap<Uuid, Vec<String>> = HashMap::new();
    let ids = rows.iter().map(|(endpoint, _)| endpoint.id).collect();
    for (id, name) in queries::event_types(db, ids).await? {
        names.entry(id).or_default().push(name);
    }
    let view = |(endpoint, lane): WithLane| {
        let mut event_types = names.remove(&endpoint.id).unwrap_or_default();
        event_types.sort_unstable();
        EndpointView { endpoint, lane, event_types, now }
    };
    Ok(rows.into_iter().map(view).collect())
}
