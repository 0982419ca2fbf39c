//! Deliveries on SQLite.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use super::DeliveryRow;
use crate::{
    rows::sqlite::{ROWS, push_rows},
    stamp::Stamp,
};

pub(super) async fn insert_deliveries(
    tx: &mut SqliteConnection,
    rows: &[DeliveryRow],
    stamp: Stamp,
) -> Result<()> {
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::new("");
        push_deliveries(&mut insert, rows, stamp);
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Pushes the insert of at most [`ROWS`] deliveries. What is due in the past, or names no time, is due at once.
pub(crate) fn push_deliveries(insert: &mut QueryBuilder<Sqlite>, rows: &[DeliveryRow], stamp: Stamp) {
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
