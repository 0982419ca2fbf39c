//! Manual retry and cancel of one delivery, in a transaction in which it is judged and moved.
//! On Postgres the row is locked before it is judged, so that no claim, record or other manual move comes between.

use domain::{
    delivery::DeliveryState,
    id::{DeliveryId, UserId},
};
use platform::{
    clock::Clock,
    database::{Database, DatabaseError},
};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait, Value,
};

use crate::{finished_delivery::columns::columns, scope::Scope};

/// Times that each table is read before a delivery counts as missing: it may move between tables meanwhile.
const TRIES: usize = 2;

/// The result of a manual move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It was moved; its channel's word.
    Done(String),
    /// There is none that the caller may see.
    Missing,
    /// It stays as it is.
    Refused(Refusal),
}

/// Why a delivery was not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A worker has it: the request may be on the wire.
    Sending,
    /// It arrived.
    Succeeded,
    /// It has ended already.
    Finished,
    /// Its endpoint was deleted.
    EndpointDeleted,
    /// What was to be sent is gone.
    EventGone,
}

/// Makes a delivery due now, its schedule from the beginning; its attempts go on being counted. What an older claim of it
/// still records does not move it any more.
///
/// # Errors
/// Those of the database.
pub async fn retry(
    database: &Database,
    clock: &Clock,
    scope: Scope,
    id: DeliveryId,
) -> Result<Moved, DatabaseError> {
    let manual = ManualMove { tx: begin(database).await?, scope, id, time: database.statement_time(clock) };
    let moved = manual.retry().await?;
    manual.tx.commit().await?;
    Ok(moved)
}

/// Cancels a delivery that is pending.
///
/// # Errors
/// Those of the database.
pub async fn cancel(
    database: &Database,
    clock: &Clock,
    scope: Scope,
    id: DeliveryId,
) -> Result<Moved, DatabaseError> {
    let manual = ManualMove { tx: begin(database).await?, scope, id, time: database.statement_time(clock) };
    let moved = manual.cancel().await?;
    manual.tx.commit().await?;
    Ok(moved)
}

async fn begin(database: &Database) -> Result<DatabaseTransaction, DbErr> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    database.writer().begin_with_options(immediate).await
}

// {now} and {lock} are written in; {user} narrows to the caller's own.
const OPEN: &str =
    "SELECT d.channel, d.lease_until > {now} AS sending, coalesce(l.state, '') = 'deleted' AS deleted
    FROM delivery d LEFT JOIN lane l ON l.id = d.lane_id WHERE d.id = $1{user}{lock}";
const FINISHED: &str = "SELECT d.channel, d.state, coalesce(l.state, 'deleted') = 'deleted' AS deleted,
        EXISTS (SELECT 1 FROM event e WHERE e.id = d.event_id) AS kept
    FROM finished_delivery d LEFT JOIN lane l ON l.id = d.lane_id WHERE d.id = $1{user}{lock}";
const DEAD_LETTER: &str =
    "SELECT d.channel, 'dead' AS state, coalesce(l.state, 'deleted') = 'deleted' AS deleted,
        d.body IS NOT NULL AS kept
    FROM dead_letter d LEFT JOIN lane l ON l.id = d.lane_id WHERE d.id = $1{user}{lock}";
const RESCHEDULE: &str = "UPDATE delivery
    SET due_at = {now}, position = 0, recorded_claim = claim, lease_until = 0 WHERE id = $1";
const REVIVE: &str = "INSERT INTO delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, attempts, claim,
        recorded_claim, due_at, created_at)
    SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, attempts, claim, claim, {now}, created_at
    FROM finished_delivery WHERE id = $1";
const REVIVE_DEAD_LETTER: &str = "INSERT INTO delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, attempts,
        claim, recorded_claim, due_at, created_at)
    SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, attempts, claim, claim, {now}, created_at
    FROM dead_letter WHERE id = $1";
const CANCEL: &str = concat!(
    "INSERT INTO finished_delivery (",
    columns!(),
    ") SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, 'cancelled', NULL, position, attempts, claim,
        created_at, {now} FROM delivery WHERE id = $1"
);

struct ManualMove {
    tx: DatabaseTransaction,
    scope: Scope,
    id: DeliveryId,
    time: i64,
}

impl ManualMove {
    async fn retry(&self) -> Result<Moved, DbErr> {
        for _ in 0..TRIES {
            if let Some(row) = self.find_row(OPEN).await? {
                return self.reschedule(&row).await;
            }
            if let Some(row) = self.find_row(FINISHED).await? {
                return self.revive(&row, REVIVE, "finished_delivery").await;
            }
            if let Some(row) = self.find_row(DEAD_LETTER).await? {
                return self.revive(&row, REVIVE_DEAD_LETTER, "dead_letter").await;
            }
        }
        Ok(Moved::Missing)
    }

    async fn cancel(&self) -> Result<Moved, DbErr> {
        for _ in 0..TRIES {
            if let Some(row) = self.find_row(OPEN).await? {
                return self.cancel_open(&row).await;
            }
            if self.find_row(FINISHED).await?.is_some() || self.find_row(DEAD_LETTER).await?.is_some() {
                return Ok(Moved::Refused(Refusal::Finished));
            }
        }
        Ok(Moved::Missing)
    }

    async fn find_row(&self, sql: &str) -> Result<Option<QueryResult>, DbErr> {
        let mut values: Vec<Value> = vec![self.id.0.into()];
        let user = match self.scope {
            Scope::Everyone => "",
            Scope::User(UserId(user)) => {
                values.push(user.into());
                " AND d.user_id = $2"
            }
        };
        let lock = if self.is_postgres() { " FOR UPDATE OF d" } else { "" };
        let sql = sql.replace("{user}", user).replace("{lock}", lock);
        self.tx.query_one_raw(self.statement(&sql, values)).await
    }

    async fn reschedule(&self, row: &QueryResult) -> Result<Moved, DbErr> {
        if row.try_get("", "sending")? {
            return Ok(Moved::Refused(Refusal::Sending));
        }
        if row.try_get("", "deleted")? {
            return Ok(Moved::Refused(Refusal::EndpointDeleted));
        }
        self.execute(RESCHEDULE).await?;
        Ok(Moved::Done(row.try_get("", "channel")?))
    }

    async fn revive(&self, row: &QueryResult, insert: &str, from: &str) -> Result<Moved, DbErr> {
        let state: String = row.try_get("", "state")?;
        if state == DeliveryState::Succeeded.as_str() {
            return Ok(Moved::Refused(Refusal::Succeeded));
        }
        if row.try_get("", "deleted")? {
            return Ok(Moved::Refused(Refusal::EndpointDeleted));
        }
        if !row.try_get::<bool>("", "kept")? {
            return Ok(Moved::Refused(Refusal::EventGone));
        }
        self.execute(insert).await?;
        self.execute(&format!("DELETE FROM {from} WHERE id = $1")).await?;
        Ok(Moved::Done(row.try_get("", "channel")?))
    }

    async fn cancel_open(&self, row: &QueryResult) -> Result<Moved, DbErr> {
        if row.try_get("", "sending")? {
            return Ok(Moved::Refused(Refusal::Sending));
        }
        self.execute(CANCEL).await?;
        self.execute("DELETE FROM delivery WHERE id = $1").await?;
        Ok(Moved::Done(row.try_get("", "channel")?))
    }

    async fn execute(&self, sql: &str) -> Result<(), DbErr> {
        self.tx.execute_raw(self.statement(sql, vec![self.id.0.into()])).await.map(drop)
    }

    /// The time is a number of ours, not a value of a caller.
    fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        let now =
            if self.is_postgres() { format!("(now_ms() + {})", self.time) } else { self.time.to_string() };
        Statement::from_sql_and_values(self.tx.get_database_backend(), sql.replace("{now}", &now), values)
    }

    fn is_postgres(&self) -> bool {
        self.tx.get_database_backend() == DbBackend::Postgres
    }
}
