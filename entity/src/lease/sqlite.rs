//! Leases on SQLite, by the one connection that writes.

use sqlx::{QueryBuilder, Result, Sqlite, SqlitePool};
use uuid::Uuid;

use super::{Lease, Table};
use crate::rows::sqlite::{ROWS, push_rows};

pub(super) async fn release(pool: &SqlitePool, table: Table, leases: &[Lease]) -> Result<()> {
    let (name, released) = (table.name(), table.released());
    for leases in leases.chunks(ROWS) {
        let mut update = with_leases(leases);
        update.push("UPDATE ").push(name).push(" SET ").push(released).push(" FROM row WHERE ");
        update.push(name).push(".id = row.id AND ").push(name).push(".claim = row.claim");
        update.build().execute(pool).await?;
    }
    Ok(())
}

pub(super) async fn release_all(pool: &SqlitePool) -> Result<u64> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let mut released = 0;
    for table in Table::ALL {
        let mut update = QueryBuilder::<Sqlite>::new("UPDATE ");
        update.push(table.name()).push(" SET lease_until = 0 WHERE lease_until > 0");
        released += update.build().execute(&mut *tx).await?.rows_affected();
    }
    tx.commit().await?;
    Ok(released)
}

pub(super) async fn renew(pool: &SqlitePool, leases: &[Lease], until: i64) -> Result<Vec<Uuid>> {
    let mut renewed = Vec::with_capacity(leases.len());
    for leases in leases.chunks(ROWS) {
        let mut update = with_leases(leases);
        update.push("UPDATE delivery SET lease_until = ").push_bind(until);
        update.push(
            " FROM row WHERE delivery.id = row.id AND delivery.claim = row.claim
            AND delivery.recorded_claim < row.claim RETURNING delivery.id",
        );
        renewed.extend(update.build_query_scalar::<Uuid>().fetch_all(pool).await?);
    }
    Ok(renewed)
}

fn with_leases(leases: &[Lease]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("WITH row (id, claim) AS (");
    push_rows(&mut query, leases, |mut values, lease| {
        values.push_bind(lease.map(|(id, _)| *id)).push_bind(lease.map(|(_, claim)| *claim));
    });
    query.push(") ");
    query
}
