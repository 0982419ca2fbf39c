//! Leases on rows that a worker owns: given back, renewed, and what a lane reports that could not use them.
//! Each is one statement; a row whose claim is another by now is left alone.

use sea_orm::{DatabaseBackend, DatabaseConnection};
use sqlx::{PgPool, QueryBuilder, Result, Sqlite, SqlitePool};
use uuid::Uuid;

use super::sqlite::{ROWS, push_list, push_rows};

/// A row and the claim that its lease belongs to.
pub type Lease = (Uuid, i32);

/// The tables whose rows are leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `delivery`. A claim that is given back does not count as one without a record.
    Deliveries,
    /// `upload`.
    Uploads,
    /// `broadcast`.
    Broadcasts,
}

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Self::Deliveries => "delivery",
            Self::Uploads => "upload",
            Self::Broadcasts => "broadcast",
        }
    }

    const fn freed(self) -> &'static str {
        match self {
            Self::Deliveries => "lease_until = 0, recorded_claim = row.claim",
            Self::Uploads | Self::Broadcasts => "lease_until = 0",
        }
    }
}

/// Ends these leases: the rows are due again. `writer` is the connection that may write.
///
/// # Errors
/// Those of the database; then the leases end at their time.
pub async fn release(writer: &DatabaseConnection, table: Table, leases: &[Lease]) -> Result<()> {
    if leases.is_empty() {
        return Ok(());
    }
    let (name, freed) = (table.name(), table.freed());
    match writer.get_database_backend() {
        DatabaseBackend::Postgres => {
            let sql = format!(
                "UPDATE {name} AS mine SET {freed} FROM unnest($1::uuid[], $2::integer[]) AS row (id, claim)
                WHERE mine.id = ANY($1) AND mine.id = row.id AND mine.claim = row.claim"
            );
            let (ids, claims): (Vec<Uuid>, Vec<i32>) = leases.iter().copied().unzip();
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(ids).bind(claims);
            query.execute(writer.get_postgres_connection_pool()).await.map(drop)
        }
        _ => {
            for leases in leases.chunks(ROWS) {
                let mut update = with_leases(leases);
                update.push("UPDATE ").push(name).push(" SET ").push(freed).push(" FROM row WHERE ");
                update.push(name).push(".id = row.id AND ").push(name).push(".claim = row.claim");
                update.build().execute(writer.get_sqlite_connection_pool()).await?;
            }
            Ok(())
        }
    }
}

/// Leases these deliveries for `lease` ms from now; returns the ids of those whose claim still is theirs. `time` is what
/// `platform::database::Database::statement_time` gives. Rows that are locked, such as those whose record is being written, are
/// passed over: it neither waits nor deadlocks. Does not wait for the disk: a lease that is lost with the server ends
/// early, and its delivery is sent again as after any crash.
///
/// # Errors
/// Those of the database; then the leases end at their time.
pub async fn renew(
    writer: &DatabaseConnection,
    leases: &[Lease],
    time: i64,
    lease: i64,
) -> Result<Vec<Uuid>> {
    match writer.get_database_backend() {
        DatabaseBackend::Postgres => {
            renew_on_postgres(writer.get_postgres_connection_pool(), leases, time, lease).await
        }
        _ => renew_on_sqlite(writer.get_sqlite_connection_pool(), leases, time + lease).await,
    }
}

async fn renew_on_postgres(pool: &PgPool, leases: &[Lease], offset: i64, lease: i64) -> Result<Vec<Uuid>> {
    const SQL: &str = "UPDATE delivery AS mine
        SET lease_until = (SELECT now_ms() + $3 + $4 FROM set_config('synchronous_commit', 'off', true))
        FROM unnest($1::uuid[], $2::integer[]) AS row (id, claim)
        WHERE mine.id = ANY(ARRAY(SELECT id FROM delivery WHERE id = ANY($1) FOR NO KEY UPDATE SKIP LOCKED))
            AND mine.id = row.id AND mine.claim = row.claim AND mine.recorded_claim < row.claim
        RETURNING mine.id";
    let (ids, claims): (Vec<Uuid>, Vec<i32>) = leases.iter().copied().unzip();
    sqlx::query_scalar(SQL).bind(ids).bind(claims).bind(offset).bind(lease).fetch_all(pool).await
}

async fn renew_on_sqlite(pool: &SqlitePool, leases: &[Lease], until: i64) -> Result<Vec<Uuid>> {
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

/// Notes for `lasts` ms that these lanes have a backlog, so that accepts do not hand over their deliveries; unless that was
/// noted in the last half of the time. Lanes that are locked at that moment are passed over.
///
/// # Errors
/// Those of the database.
pub async fn report_backlogs(
    writer: &DatabaseConnection,
    lanes: &[Uuid],
    time: i64,
    lasts: i64,
) -> Result<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    match writer.get_database_backend() {
        DatabaseBackend::Postgres => {
            const SQL: &str = "UPDATE lane SET backlog_until = now_ms() + $2 + $3 WHERE id = ANY(ARRAY(
                SELECT id FROM lane WHERE id = ANY($1) AND backlog_until <= now_ms() + $2 + $3 / 2
                ORDER BY id FOR NO KEY UPDATE SKIP LOCKED))";
            let query = sqlx::query(SQL).bind(lanes).bind(time).bind(lasts);
            query.execute(writer.get_postgres_connection_pool()).await.map(drop)
        }
        _ => {
            let mut update = QueryBuilder::<Sqlite>::new("UPDATE lane SET backlog_until = ");
            update.push_bind(time + lasts).push(" WHERE backlog_until <= ").push_bind(time + lasts / 2);
            update.push(" AND id IN ");
            push_list(&mut update, lanes);
            update.build().execute(writer.get_sqlite_connection_pool()).await.map(drop)
        }
    }
}
