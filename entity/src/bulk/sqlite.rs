//! Bulk inserts on SQLite: rows as `VALUES`, in statements of few different lengths.

mod lengths;

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use super::{DeliveryRow, EventRow, Stamp, UploadRow};

pub use lengths::{ROWS, places, push_list, push_list_of, push_rows};

/// Inserts events.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_events(tx: &mut SqliteConnection, rows: &[EventRow], stamp: Stamp) -> Result<()> {
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::new("");
        push_events(&mut insert, rows, stamp);
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Inserts deliveries. What is due in the past, or names no time, is due at once.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert_deliveries(tx: &mut SqliteConnection, rows: &[DeliveryRow], stamp: Stamp) -> Result<()> {
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::new("");
        push_deliveries(&mut insert, rows, stamp);
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
        (id, endpoint_id, user_id, file_name, storage_key, size_bytes, due_at, claim, lease_until, created_at) ";
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        push_rows(&mut insert, rows, |mut values, row| {
            values
                .push_bind(row.map(|row| row.id.0))
                .push_bind(row.map(|row| row.endpoint_id.0))
                .push_bind(row.map(|row| row.user_id.0))
                .push_bind(row.map(|row| row.file_name.as_str()))
                .push_bind(row.map(|row| row.storage_key.as_str()))
                .push_bind(row.map(|row| row.size_bytes))
                .push_bind(stamp.now_or_offset)
                .push_bind(row.map(|row| i32::from(row.leased)))
                .push_bind(row.map(|row| stamp.lease_until(row.leased)))
                .push_bind(stamp.now_or_offset);
        });
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Pushes the insert of at most [`ROWS`] events.
pub fn push_events(insert: &mut QueryBuilder<Sqlite>, rows: &[EventRow], stamp: Stamp) {
    insert.push("INSERT INTO event (id, user_id, event_type, body, addressed, created_at) ");
    push_rows(insert, rows, |mut values, row| {
        values
            .push_bind(row.map(|row| row.id.0))
            .push_bind(row.and_then(|row| Some(row.user_id?.0)))
            .push_bind(row.map(|row| row.event_type.as_str()))
            .push_bind(row.map(|row| row.body.as_slice()))
            .push_bind(row.map(|row| row.addressed))
            .push_bind(stamp.now_or_offset);
    });
}

/// Pushes the insert of at most [`ROWS`] deliveries. What is due in the past, or names no time, is due at once.
pub fn push_deliveries(insert: &mut QueryBuilder<Sqlite>, rows: &[DeliveryRow], stamp: Stamp) {
    insert.push(
        "INSERT INTO delivery
        (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, claim, lease_until, created_at) ",
    );
    let due =
        |row: &DeliveryRow| row.due_at.map_or(stamp.now_or_offset, |due| due.0.max(stamp.now_or_offset));
    push_rows(insert, rows, |mut values, row| {
        values
            .push_bind(row.map(|row| row.id.0))
            .push_bind(row.map(|row| row.event_id.0))
            .push_bind(row.and_then(|row| Some(row.user_id?.0)))
            .push_bind(row.map(|row| row.lane_id.0))
            .push_bind(row.map(|row| row.channel.as_str()))
            .push_bind(row.map(|row| row.recipient_id))
            .push_bind(row.and_then(|row| row.body.as_deref()))
            .push_bind(row.map(due))
            .push_bind(row.map(|row| i32::from(row.leased)))
            .push_bind(row.map(|row| stamp.lease_until(row.leased)))
            .push_bind(stamp.now_or_offset);
    });
}

impl Stamp {
    pub(crate) const fn lease_until(self, leased: bool) -> i64 {
        if leased { self.now_or_offset + self.lease } else { 0 }
    }
}
