//! Claims of uploads: due ones become this worker's for the length of a lease, which is renewed while the file is read.
//! One that was handed over is leased already: its worker takes the lease over.

use domain::{
    clock::millis,
    delivery::MAX_CLAIMS_WITHOUT_RECORD,
    id::{EndpointId, UploadId, UserId},
    job::{LEASE, Leased},
};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
};
use sqlx::{PgPool, SqlitePool};
use uuid::Uuid;

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

/// Claims the oldest upload that is due and has no live lease.
///
/// # Errors
/// Those of the database; then nothing was claimed, or what was is free again when its lease ends.
pub async fn claim_next(context: &Context) -> Result<Option<ClaimedUpload>, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    Ok(match context.database.pool() {
        Pool::Postgres(pool) => within_deadline(claim_postgres(pool, time)).await?,
        Pool::Sqlite(pool) => claim_sqlite(pool, time).await?,
    })
}

/// Takes over the lease of an upload that was handed over. None when another worker has claimed it.
///
/// # Errors
/// Those of the database; then it is claimed when its lease ends.
pub async fn take_over(context: &Context, leased: Leased) -> Result<Option<ClaimedUpload>, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    Ok(match context.database.pool() {
        Pool::Postgres(pool) => within_deadline(take_over_postgres(pool, leased, time)).await?,
        Pool::Sqlite(pool) => take_over_sqlite(pool, leased, time).await?,
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
            let renewed = sqlx::query(sql).bind(id).bind(claim).bind(time).bind(lease).execute(pool);
            within_deadline(renewed).await?.rows_affected()
        }
        Pool::Sqlite(pool) => {
            let sql = "UPDATE upload SET lease_until = ?3 + ?4 WHERE id = ?1 AND claim = ?2";
            sqlx::query(sql).bind(id).bind(claim).bind(time).bind(lease).execute(pool).await?.rows_affected()
        }
    };
    Ok(renewed > 0)
}

/// What a claim returns, in both dialects.
macro_rules! returning {
    () => {
        " RETURNING id, endpoint_id, user_id, file_name, storage_key, attempts, claim,
            (SELECT custom_payload FROM endpoint e WHERE e.id = upload.endpoint_id) AS custom_payload,
            EXISTS (SELECT 1 FROM endpoint e WHERE e.id = upload.endpoint_id) AS has_endpoint"
    };
}

async fn claim_postgres(pool: &PgPool, offset: i64) -> sqlx::Result<Option<ClaimedUpload>> {
    const SQL: &str = concat!(
        "UPDATE upload SET claim = claim + 1, lease_until = now_ms() + $1 + $2 WHERE id = ANY(ARRAY(
            SELECT id FROM upload
            WHERE state = 'received' AND due_at <= now_ms() + $1 AND lease_until <= now_ms() + $1
            ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED))",
        returning!()
    );
    sqlx::query_as(SQL).bind(offset).bind(millis(LEASE)).fetch_optional(pool).await
}

async fn claim_sqlite(pool: &SqlitePool, now: i64) -> sqlx::Result<Option<ClaimedUpload>> {
    const SQL: &str = concat!(
        "UPDATE upload SET claim = claim + 1, lease_until = ?1 + ?2 WHERE id = (
            SELECT id FROM upload WHERE state = 'received' AND due_at <= ?1 AND lease_until <= ?1
            ORDER BY due_at, id LIMIT 1)",
        returning!()
    );
    sqlx::query_as(SQL).bind(now).bind(millis(LEASE)).fetch_optional(pool).await
}

async fn take_over_postgres(
    pool: &PgPool,
    Leased { id, claim }: Leased,
    offset: i64,
) -> sqlx::Result<Option<ClaimedUpload>> {
    const SQL: &str = concat!(
        "UPDATE upload SET lease_until = now_ms() + $3 + $4 WHERE id = $1 AND claim = $2 AND state = 'received'",
        returning!()
    );
    sqlx::query_as(SQL).bind(id).bind(claim).bind(offset).bind(millis(LEASE)).fetch_optional(pool).await
}

async fn take_over_sqlite(
    pool: &SqlitePool,
    Leased { id, claim }: Leased,
    now: i64,
) -> sqlx::Result<Option<ClaimedUpload>> {
    const SQL: &str = concat!(
        "UPDATE upload SET lease_until = ?3 + ?4 WHERE id = ?1 AND claim = ?2 AND state = 'received'",
        returning!()
    );
    sqlx::query_as(SQL).bind(id).bind(claim).bind(now).bind(millis(LEASE)).fetch_optional(pool).await
}
