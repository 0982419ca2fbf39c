//! Claims of uploads: due ones become this worker's for the length of a lease, which is renewed while the file is read.

use std::time::Duration;

use domain::{
    clock::millis,
    delivery::MAX_CLAIMS_WITHOUT_RECORD,
    id::{EndpointId, UploadId, UserId},
};
use entity::bulk::sqlite::push_list;
use platform::{
    context::Context,
    database::{DatabaseError, Pool},
};
use sqlx::{PgPool, QueryBuilder, Sqlite, SqlitePool};
use uuid::Uuid;

/// How long an upload stays claimed without a renewal.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// An upload that is this worker's until its lease ends.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClaimedUpload {
    id: Uuid,
    endpoint_id: Uuid,
    user_id: i64,
    /// The safe name.
    pub file_name: String,
    /// Where the file lies.
    pub storage_key: String,
    /// Attempts before this one.
    pub attempts: i32,
    /// The fence.
    pub claim: i32,
    /// Laid over the event's body.
    pub custom_payload: Option<String>,
    /// Whether its endpoint is still there.
    pub has_endpoint: bool,
}

impl ClaimedUpload {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> UploadId {
        self.id.into()
    }

    /// The endpoint that its event goes to.
    #[must_use]
    pub fn endpoint_id(&self) -> EndpointId {
        self.endpoint_id.into()
    }

    /// Whether it was claimed so often without a record that it must be what its workers die of.
    #[must_use]
    pub fn is_deadly(&self) -> bool {
        self.claim - self.attempts > i32::from(MAX_CLAIMS_WITHOUT_RECORD)
    }

    /// The endpoint's tenant.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        UserId(self.user_id)
    }
}

/// Claims those of `ids` that are due and not leased.
///
/// # Errors
/// Those of the database; then nothing was claimed, or what was is free again when its lease ends.
pub async fn claim(context: &Context, ids: &[Uuid]) -> Result<Vec<ClaimedUpload>, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    Ok(match context.database.pool() {
        Pool::Postgres(pool) => claim_postgres(pool, ids, time).await?,
        Pool::Sqlite(pool) => claim_sqlite(pool, ids, time).await?,
    })
}

/// Renews the lease of a claimed upload. `false` when another worker has taken over.
///
/// # Errors
/// Those of the database.
pub(super) async fn renew(context: &Context, upload: &ClaimedUpload) -> Result<bool, DatabaseError> {
    let (id, claim, lease) = (upload.id, upload.claim, millis(LEASE));
    let time = context.database.statement_time(&context.clock);
    let renewed = match context.database.pool() {
        Pool::Postgres(pool) => {
            let sql = "UPDATE upload SET lease_until = now_ms() + $3 + $4 WHERE id = $1 AND claim = $2";
            sqlx::query(sql).bind(id).bind(claim).bind(time).bind(lease).execute(pool).await?.rows_affected()
        }
        Pool::Sqlite(pool) => {
            let sql = "UPDATE upload SET lease_until = ?3 + ?4 WHERE id = ?1 AND claim = ?2";
            sqlx::query(sql).bind(id).bind(claim).bind(time).bind(lease).execute(pool).await?.rows_affected()
        }
    };
    Ok(renewed > 0)
}

async fn claim_postgres(pool: &PgPool, ids: &[Uuid], offset: i64) -> sqlx::Result<Vec<ClaimedUpload>> {
    const SQL: &str = "WITH due AS MATERIALIZED (
            SELECT u.id, e.id IS NOT NULL AS has_endpoint, e.custom_payload
            FROM upload u LEFT JOIN endpoint e ON e.id = u.endpoint_id
            WHERE u.id = ANY($1) AND u.state = 'received'
              AND u.due_at <= now_ms() + $2 AND u.lease_until <= now_ms() + $2
            FOR UPDATE OF u SKIP LOCKED
        )
        UPDATE upload u SET claim = u.claim + 1, hinted_until = 0, lease_until = now_ms() + $2 + $3
        FROM due WHERE u.id = due.id
        RETURNING u.id, u.endpoint_id, u.user_id, u.file_name, u.storage_key, u.attempts, u.claim,
            due.custom_payload, due.has_endpoint";
    sqlx::query_as(SQL).bind(ids).bind(offset).bind(millis(LEASE)).fetch_all(pool).await
}

async fn claim_sqlite(pool: &SqlitePool, ids: &[Uuid], now: i64) -> sqlx::Result<Vec<ClaimedUpload>> {
    let mut update =
        QueryBuilder::<Sqlite>::new("UPDATE upload SET claim = claim + 1, hinted_until = 0, lease_until = ");
    update.push_bind(now + millis(LEASE)).push(" WHERE state = 'received' AND due_at <= ").push_bind(now);
    update.push(" AND lease_until <= ").push_bind(now).push(" AND id IN ");
    push_list(&mut update, ids);
    update.push(
        " RETURNING id, endpoint_id, user_id, file_name, storage_key, attempts, claim,
            (SELECT custom_payload FROM endpoint e WHERE e.id = upload.endpoint_id) AS custom_payload,
            EXISTS (SELECT 1 FROM endpoint e WHERE e.id = upload.endpoint_id) AS has_endpoint",
    );
    update.build_query_as().fetch_all(pool).await
}
