//! Events on SQLite.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use super::EventRow;
use crate::{
    rows::sqlite::{ROWS, push_rows},
    stamp::Stamp,
};

pub(super) async fn insert_events(tx: &mut SqliteConnection, rows: &[EventRow], stamp: Stamp) -> Result<()> {
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::new("");
        push_events(&mut insert, rows, stamp);
        insert.build().execute(&mut *tx).await?;
    }
    Ok(())
}

/// Pushes the insert of at most [`ROWS`] events.
pub(crate) fn push_events(insert: &mut QueryBuilder<Sqlite>, rows: &[EventRow], stamp: Stamp) {
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
