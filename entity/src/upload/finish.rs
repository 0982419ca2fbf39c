//! Finishes an upload: its row, its event and the delivery to its endpoint in one transaction, behind the fence. One that
//! could not be processed is rescheduled.

use std::time::Duration;

use domain::{
    clock::millis,
    delivery::Channel,
    id::{DeliveryId, ErrorId, EventId},
    upload::{Inspection, UPLOAD_EVENT_TYPE},
};
use platform::{
    clock::Clock,
    database::{Database, DatabaseError, Tx},
};

use super::claim::ClaimedUpload;
use crate::{
    delivery::insert::{DeliveryRow, insert_deliveries},
    event::insert::{EventRow, insert_events},
    stamp::Stamp,
};

/// What came out of an upload.
pub struct UploadResult {
    /// What was found out about the file.
    pub inspection: Inspection,
    /// The facts of the inspection as JSON.
    pub facts: Option<String>,
    /// The rendered event; none when its endpoint is gone.
    pub body: Option<Vec<u8>>,
}

/// Writes the result. `false` when another worker has taken over; then nothing was written.
///
/// # Errors
/// Those of the database; then it is not known whether it was written.
pub async fn finish(
    database: &Database,
    clock: &Clock,
    upload: &ClaimedUpload,
    result: &UploadResult,
) -> Result<bool, DatabaseError> {
    let time = database.statement_time(clock);
    let event_id = EventId::new();
    let mut tx = database.begin().await?;
    if !close(&mut tx, upload, result, event_id, time).await? {
        return Ok(false);
    }
    let (events, deliveries) = rows(upload, result, event_id);
    let stamp = Stamp { now_or_offset: time, lease: 0 };
    insert_events(&mut tx, &events, stamp).await?;
    insert_deliveries(&mut tx, &deliveries, stamp).await?;
    if let Some(failure) = &result.inspection.failure {
        log_failure(&mut tx, upload, failure, None, time).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Reschedules an upload after a failure of ours: due again after `wait`, with a line in the error log. May be called again
/// after any error: it is rescheduled once.
///
/// # Errors
/// Those of the database; then it is due again when its lease ends.
pub async fn reschedule(
    database: &Database,
    clock: &Clock,
    upload: &ClaimedUpload,
    message: &str,
    wait: Duration,
) -> Result<(), DatabaseError> {
    let (time, wait) = (database.statement_time(clock), millis(wait));
    let mut tx = database.begin().await?;
    macro_rules! reschedule {
        ($tx:expr, $now:literal) => {
            sqlx::query(concat!(
                "UPDATE upload SET attempts = attempts + 1, lease_until = 0, due_at = ",
                $now,
                " + $3 + $4 WHERE id = $1 AND claim = $2 AND attempts = $5 AND state = 'received'"
            ))
            .bind(upload.id().0)
            .bind(upload.claim)
            .bind(time)
            .bind(wait)
            .bind(upload.attempts)
            .execute(&mut **$tx)
            .await?
            .rows_affected()
        };
    }
    let rescheduled = match &mut tx {
        Tx::Postgres(tx) => reschedule!(tx, "now_ms()"),
        Tx::Sqlite(tx) => reschedule!(tx, "0"),
    };
    if rescheduled > 0 {
        log_failure(&mut tx, upload, message, Some(wait), time).await?;
    }
    tx.commit().await
}

async fn close(
    tx: &mut Tx,
    upload: &ClaimedUpload,
    result: &UploadResult,
    event_id: EventId,
    time: i64,
) -> Result<bool, sqlx::Error> {
    macro_rules! close {
        ($tx:expr, $now:literal) => {
            sqlx::query(concat!(
                "UPDATE upload SET state = $3, sha256 = $4, media_type = $5, facts = $6, reason = $7, event_id = $8,
                    size_bytes = $9, attempts = attempts + 1, lease_until = 0, finished_at = ",
                $now,
                " + $10 WHERE id = $1 AND claim = $2 AND state = 'received'"
            ))
            .bind(upload.id().0)
            .bind(upload.claim)
            .bind(result.inspection.state().as_str())
            .bind(result.inspection.sha256.as_deref())
            .bind(result.inspection.media_type.as_deref())
            .bind(result.facts.as_deref())
            .bind(result.inspection.failure.as_deref())
            .bind(result.body.as_ref().map(|_| event_id.0))
            .bind(i64::try_from(result.inspection.size_bytes).unwrap_or(i64::MAX))
            .bind(time)
            .execute(&mut **$tx)
            .await?
            .rows_affected()
        };
    }
    let closed = match tx {
        Tx::Postgres(tx) => close!(tx, "now_ms()"),
        Tx::Sqlite(tx) => close!(tx, "0"),
    };
    Ok(closed > 0)
}

fn rows(
    upload: &ClaimedUpload,
    result: &UploadResult,
    event_id: EventId,
) -> (Vec<EventRow>, Vec<DeliveryRow>) {
    let Some(body) = result.body.clone() else {
        return (vec![], vec![]);
    };
    let user_id = Some(upload.user_id());
    let event_type = UPLOAD_EVENT_TYPE.to_owned();
    let event = EventRow { id: event_id, user_id, event_type, body, addressed: true };
    let delivery = DeliveryRow {
        id: DeliveryId::new(),
        event_id,
        user_id,
        lane_id: upload.endpoint_id().into(),
        channel: Channel::Webhook,
        recipient_id: upload.endpoint_id().into(),
        body: None,
        due_at: None,
        leased: false,
    };
    (vec![event], vec![delivery])
}

async fn log_failure(
    tx: &mut Tx,
    upload: &ClaimedUpload,
    message: &str,
    wait: Option<i64>,
    time: i64,
) -> Result<(), sqlx::Error> {
    macro_rules! insert {
        ($tx:expr, $now:literal) => {
            sqlx::query(concat!(
                "INSERT INTO error_log (id, user_id, kind, subject_id, message, attempt, next_retry_at, created_at)
                VALUES ($1, $2, 'upload', $3, $4, $5, ",
                $now,
                " + $7 + $6, ",
                $now,
                " + $7)"
            ))
            .bind(ErrorId::new().0)
            .bind(upload.user_id().0)
            .bind(upload.id().0)
            .bind(message)
            .bind(upload.attempts + 1)
            .bind(wait)
            .bind(time)
            .execute(&mut **$tx)
            .await
            .map(drop)
        };
    }
    match tx {
        Tx::Postgres(tx) => insert!(tx, "now_ms()"),
        Tx::Sqlite(tx) => insert!(tx, "0"),
    }
}
