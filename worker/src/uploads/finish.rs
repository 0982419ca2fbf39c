//! Finishes an upload: its row, its event and the delivery to its endpoint in one transaction, behind the fence.

use domain::{
    clock::millis,
    delivery::Channel,
    id::{DeliveryId, ErrorId, EventId},
    upload::{Inspection, UPLOAD_EVENT_TYPE, UploadState},
};
use entity::bulk::{DeliveryRow, EventRow, Stamp, postgres, sqlite};
use platform::{
    context::Context,
    database::{DatabaseError, Tx},
};

use super::claim::ClaimedUpload;

/// What came out of an upload.
pub(super) struct Outcome {
    pub(super) inspection: Inspection,
    /// The rendered event; none when its endpoint is gone.
    pub(super) body: Option<Vec<u8>>,
}

impl Outcome {
    fn state(&self) -> UploadState {
        if self.inspection.failure.is_some() { UploadState::Failed } else { UploadState::Processed }
    }

    fn facts(&self) -> Option<String> {
        let facts = self.inspection.facts.as_ref()?;
        Some(serde_json::to_string(facts).expect("facts are plain data"))
    }
}

/// Writes the outcome. `false` when another worker has taken over; then nothing was written.
pub(super) async fn finish(
    context: &Context,
    upload: &ClaimedUpload,
    outcome: &Outcome,
) -> Result<bool, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let event_id = EventId::new();
    let mut tx = context.database.begin().await?;
    if !close(&mut tx, upload, outcome, event_id, time).await? {
        return Ok(false);
    }
    let (events, deliveries) = rows(upload, outcome, event_id);
    let stamp = Stamp { now_or_offset: time, lease: 0 };
    match &mut tx {
        Tx::Postgres(tx) => {
            postgres::insert_events(tx, &events, stamp).await?;
            postgres::insert_deliveries(tx, &deliveries, stamp).await?;
        }
        Tx::Sqlite(tx) => {
            sqlite::insert_events(tx, &events, stamp).await?;
            sqlite::insert_deliveries(tx, &deliveries, stamp).await?;
        }
    }
    if let Some(failure) = &outcome.inspection.failure {
        log(&mut tx, upload, failure, None, time).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Puts an upload off after a failure of ours: due again after `wait`, with a line in the error log. May be called again
/// after any error: it is put off once.
pub(super) async fn put_off(
    context: &Context,
    upload: &ClaimedUpload,
    message: &str,
    wait: std::time::Duration,
) -> Result<(), DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let (id, claim, wait) = (upload.id().0, upload.claim, millis(wait));
    let mut tx = context.database.begin().await?;
    let moved = match &mut tx {
        Tx::Postgres(tx) => {
            let sql =
                "UPDATE upload SET attempts = attempts + 1, lease_until = 0, due_at = now_ms() + $3 + $4
                WHERE id = $1 AND claim = $2 AND attempts = $5 AND state = 'received'";
            let update = sqlx::query(sql).bind(id).bind(claim).bind(time).bind(wait).bind(upload.attempts);
            update.execute(&mut **tx).await?.rows_affected()
        }
        Tx::Sqlite(tx) => {
            let sql = "UPDATE upload SET attempts = attempts + 1, lease_until = 0, due_at = ?3 + ?4
                WHERE id = ?1 AND claim = ?2 AND attempts = ?5 AND state = 'received'";
            let update = sqlx::query(sql).bind(id).bind(claim).bind(time).bind(wait).bind(upload.attempts);
            update.execute(&mut **tx).await?.rows_affected()
        }
    };
    if moved > 0 {
        log(&mut tx, upload, message, Some(wait), time).await?;
    }
    tx.commit().await
}

async fn close(
    tx: &mut Tx,
    upload: &ClaimedUpload,
    outcome: &Outcome,
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
            .bind(outcome.state().as_str())
            .bind(outcome.inspection.sha256.as_deref())
            .bind(outcome.inspection.media_type.as_deref())
            .bind(outcome.facts())
            .bind(outcome.inspection.failure.as_deref())
            .bind(outcome.body.as_ref().map(|_| event_id.0))
            .bind(i64::try_from(outcome.inspection.size_bytes).unwrap_or(i64::MAX))
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

fn rows(upload: &ClaimedUpload, outcome: &Outcome, event_id: EventId) -> (Vec<EventRow>, Vec<DeliveryRow>) {
    let Some(body) = outcome.body.clone() else {
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

async fn log(
    tx: &mut Tx,
    upload: &ClaimedUpload,
    message: &str,
    wait: Option<i64>,
    time: i64,
) -> Result<(), sqlx::Error> {
    macro_rules! log {
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
        Tx::Postgres(tx) => log!(tx, "now_ms()"),
        Tx::Sqlite(tx) => log!(tx, "0"),
    }
}
