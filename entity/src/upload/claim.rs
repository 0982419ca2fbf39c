//! Claims of uploads: due ones become this worker's for the length of a lease, which is renewed while the file is read.
//! One that was handed over is leased already: its worker takes the lease over.

use domain::{
    clock::millis,
    delivery::MAX_CLAIMS_WITHOUT_RECORD,
    id::{EndpointId, UploadId, UserId},
    job::{LEASE, Leased},
};
use platform::{
    clock::Clock,
    database::{Database, DatabaseError, Pool, within_deadline},
};
use uuid::Uuid;

use crate::lane::rules::eligible;

/// An upload that is this worker's until its lease ends.
#[derive(Clone, Debug)]
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

from_row!(ClaimedUpload {
    id,
    endpoint_id,
    user_id,
    file_name,
    storage_key,
    attempts,
    claim,
    custom_payload,
    has_endpoint
});

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

    /// The endpoint's tenant.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        UserId(self.user_id)
    }

    /// Whether it was claimed so often without a record that it must be what its workers die of.
    #[must_use]
    pub fn is_deadly(&self) -> bool {
        self.claim - self.attempts > i32::from(MAX_CLAIMS_WITHOUT_RECORD)
    }
}

/// What a claim returns, in both dialects.
macro_rules! returning {
    () => {
        " RETURNING id, endpoint_id, user_id, file_name, storage_key, attempts, claim,
            (SELECT custom_payload FROM endpoint e WHERE e.id = upload.endpoint_id) AS custom_payload,
            EXISTS (SELECT 1 FROM endpoint e WHERE e.id = upload.endpoint_id) AS has_endpoint"
    };
}

const CLAIM_POSTGRES: &str = concat!(
    "UPDATE upload SET claim = claim + 1, lease_until = now_ms() + $1 + $2 WHERE id = ANY(ARRAY(
        SELECT id FROM upload WHERE state = 'received' AND ",
    eligible!("upload", "now_ms() + $1"),
    " ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED))",
    returning!()
);
const CLAIM_SQLITE: &str = concat!(
    "UPDATE upload SET claim = claim + 1, lease_until = ?1 + ?2 WHERE id = (
        SELECT id FROM upload WHERE state = 'received' AND ",
    eligible!("upload", "?1"),
    " ORDER BY due_at, id LIMIT 1)",
    returning!()
);

const TAKE_OVER_POSTGRES: &str = concat!(
    "UPDATE upload SET lease_until = now_ms() + $3 + $4 WHERE id = $1 AND claim = $2 AND state = 'received'",
    returning!()
);
const TAKE_OVER_SQLITE: &str = concat!(
    "UPDATE upload SET lease_until = ?3 + ?4 WHERE id = ?1 AND claim = ?2 AND state = 'received'",
    returning!()
);

const RENEW_POSTGRES: &str =
    "UPDATE upload SET lease_until = now_ms() + $3 + $4 WHERE id = $1 AND claim = $2";
const RENEW_SQLITE: &str = "UPDATE upload SET lease_until = ?3 + ?4 WHERE id = ?1 AND claim = ?2";

/// Claims the oldest upload that is due and has no live lease.
///
/// # Errors
/// Those of the database; then nothing was claimed, or what was is free again when its lease ends.
pub async fn claim_next(database: &Database, clock: &Clock) -> Result<Option<ClaimedUpload>, DatabaseError> {
    let (time, lease) = (database.statement_time(clock), millis(LEASE));
    Ok(match database.pool() {
        Pool::Postgres(pool) => {
            let claim = sqlx::query_as(CLAIM_POSTGRES).bind(time).bind(lease).fetch_optional(pool);
            within_deadline(claim).await?
        }
        Pool::Sqlite(pool) => {
            sqlx::query_as(CLAIM_SQLITE).bind(time).bind(lease).fetch_optional(pool).await?
        }
    })
}

/// Takes over the lease of an upload that was handed over. None when another worker has claimed it.
///
/// # Errors
/// Those of the database; then it is claimed when its lease ends.
pub async fn take_over(
    database: &Database,
    clock: &Clock,
    Leased { id, claim }: Leased,
) -> Result<Option<ClaimedUpload>, DatabaseError> {
    let (time, lease) = (database.statement_time(clock), millis(LEASE));
    Ok(match database.pool() {
        Pool::Postgres(pool) => {
            let query = sqlx::query_as(TAKE_OVER_POSTGRES).bind(id).bind(claim).bind(time).bind(lease);
            within_deadline(query.fetch_optional(pool)).await?
        }
        Pool::Sqlite(pool) => {
            let query = sqlx::query_as(TAKE_OVER_SQLITE).bind(id).bind(claim).bind(time).bind(lease);
            query.fetch_optional(pool).await?
        }
    })
}

/// Renews the lease of a claimed upload. `false` when another worker has taken over.
///
/// # Errors
/// Those of the database.
pub async fn renew(
    database: &Database,
    clock: &Clock,
    upload: &ClaimedUpload,
) -> Result<bool, DatabaseError> {
    let (id, claim) = (upload.id, upload.claim);
    let (time, lease) = (database.statement_time(clock), millis(LEASE));
    let renewed = match database.pool() {
        Pool::Postgres(pool) => {
            let query = sqlx::query(RENEW_POSTGRES).bind(id).bind(claim).bind(time).bind(lease);
            within_deadline(query.execute(pool)).await?.rows_affected()
        }
        Pool::Sqlite(pool) => {
            let query = sqlx::query(RENEW_SQLITE).bind(id).bind(claim).bind(time).bind(lease);
            query.execute(pool).await?.rows_affected()
        }
    };
    Ok(renewed > 0)
}
