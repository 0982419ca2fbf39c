//! Bulk inserts on SQLite: rows as `VALUES`, in chunks below the limit of bound values.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{DeliveryRow, EventRow, Stamp, UploadRow, Work};

/// Rows a statement: with at most eleven columns far below SQLite's 32,766 bound values.
const ROWS: usize = 500;

/// Inserts events.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_events(tx: &mut SqliteConnection, rows: &[EventRow], stamp: Stamp) -> Result<()> {
    const HEAD: &str = "INSERT INTO event (id, user_id, event_type, body, addressed, created_at) ";
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        insert.push_values(rows, |mut values, row| {
            values
                .push_bind(row.id.0)
                .push_bind(row.user_id.map(|user| user.0))
                .push_bind(row.event_type.as_str())
                .push_bind(row.body.as_slice())
                .push_bind(row.addressed)
                .push_bind(stamp.now_or_offset);
        });
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Inserts deliveries. What is due in the past, or names no time, is due at once.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_deliveries(tx: &mut SqliteConnection, rows: &[DeliveryRow], stamp: Stamp) -> Result<()> {
    const HEAD: &str = "INSERT INTO delivery
        (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, hinted_until, created_at) ";
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        insert.push_values(rows, |mut values, row| {
            values
                .push_bind(row.id.0)
                .push_bind(row.event_id.0)
                .push_bind(row.user_id.map(|user| user.0))
                .push_bind(row.lane_id.0)
                .push_bind(row.channel.as_str())
                .push_bind(row.recipient_id)
                .push_bind(row.body.as_deref())
                .push_bind(row.due_at.map_or(stamp.now_or_offset, |due| due.0.max(stamp.now_or_offset)))
                .push_bind(stamp.hinted_until(row.hinted))
                .push_bind(stamp.now_or_offset);
        });
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Inserts uploads, due at once.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_uploads(tx: &mut SqliteConnection, rows: &[UploadRow], stamp: Stamp) -> Result<()> {
    const HEAD: &str = "INSERT INTO upload
        (id, endpoint_id, user_id, file_name, storage_key, size_bytes, due_at, hinted_until, created_at) ";
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        insert.push_values(rows, |mut values, row| {
            values
                .push_bind(row.id.0)
                .push_bind(row.endpoint_id.0)
                .push_bind(row.user_id.0)
                .push_bind(row.file_name.as_str())
                .push_bind(row.storage_key.as_str())
                .push_bind(row.size_bytes)
                .push_bind(stamp.now_or_offset)
                .push_bind(stamp.hinted_until(row.hinted))
                .push_bind(stamp.now_or_offset);
        });
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

pub(super) async fn unhint(tx: &mut SqliteConnection, work: Work, ids: &[Uuid]) -> Result<u64> {
    let head = match work {
        Work::Deliveries => "UPDATE delivery SET hinted_until = 0 WHERE hinted_until > 0 AND id IN ",
        Work::Uploads => "UPDATE upload SET hinted_until = 0 WHERE hinted_until > 0 AND id IN ",
    };
    let mut unmarked = 0;
    for ids in ids.chunks(ROWS) {
        let mut update = QueryBuilder::<Sqlite>::new(head);
        push_list(&mut update, ids);
        unmarked += update.build().execute(&mut *tx).await?.rows_affected();
    }
    Ok(unmarked)
}

/// Pushes `(?, ?, …)`.
pub fn push_list(query: &mut QueryBuilder<Sqlite>, ids: &[Uuid]) {
    query.push("(");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    query.push(")");
}

impl Stamp {
    const fn hinted_until(self, hinted: bool) -> i64 {
        if hinted { self.now_or_offset + self.hint_trusted } else { 0 }
    }
}
