//! The claim and the lock of a broadcast on SQLite: what the one connection that writes reads stays as it is until it commits.

use domain::job::Leased;
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection, SqlitePool};
use uuid::Uuid;

use crate::{broadcast::Model, stamp::Stamp};

pub(super) async fn claim(pool: &SqlitePool, channels: &[&str], stamp: Stamp) -> Result<Option<Leased>> {
    let now = stamp.now_or_offset;
    let mut update = QueryBuilder::<Sqlite>::new("UPDATE broadcast SET claim = claim + 1, lease_until = ");
    update.push_bind(now + stamp.lease);
    update
        .push(" WHERE id = (SELECT id FROM broadcast WHERE state = 'running' AND lease_until <= ")
        .push_bind(now);
    push_channels(&mut update, channels);
    update.push(" ORDER BY lease_until, id LIMIT 1) RETURNING id, claim");
    let claimed: Option<(Uuid, i32)> = update.build_query_as().fetch_optional(pool).await?;
    Ok(claimed.map(|(id, claim)| Leased { id, claim }))
}

pub(super) async fn lock(
    tx: &mut SqliteConnection,
    leased: Leased,
    channels: &[&str],
) -> Result<Option<Model>> {
    let mut ours = QueryBuilder::<Sqlite>::new("SELECT * FROM broadcast WHERE state = 'running' AND id = ");
    ours.push_bind(leased.id).push(" AND claim = ").push_bind(leased.claim);
    push_channels(&mut ours, channels);
    ours.build_query_as().fetch_optional(tx).await
}

fn push_channels(query: &mut QueryBuilder<Sqlite>, channels: &[&str]) {
    query.push(" AND channel IN (");
    let mut list = query.separated(", ");
    for channel in channels {
        list.push_bind((*channel).to_owned());
    }
    query.push(")");
}
