//! Messages on SQLite.

use std::sync::Arc;

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::MessageRow;

/// Rows a statement, far below SQLite's 32,766 bound values.
const ROWS: usize = 500;

pub(super) async fn insert_new(
    tx: &mut SqliteConnection,
    rows: &[Arc<MessageRow>],
    now: i64,
) -> Result<Vec<Uuid>> {
    const HEAD: &str = "INSERT INTO message (message_id, sender, recipient, ts, ts_key, text, folded, event_id, created_at) ";
    let mut inserted = Vec::with_capacity(rows.len());
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        insert.push_values(rows, |mut values, row| {
            values
                .push_bind(row.message.message_id.as_str())
                .push_bind(row.message.from.as_str())
                .push_bind(row.message.to.as_str())
                .push_bind(row.message.ts.as_str())
                .push_bind(row.message.ts.key())
                .push_bind(row.message.text.as_deref())
                .push_bind(row.folded.as_deref())
                .push_bind(row.event_id.0)
                .push_bind(now);
        });
        insert.push(" ON CONFLICT (message_id) DO NOTHING RETURNING event_id");
        inserted.extend(insert.build_query_scalar::<Uuid>().fetch_all(&mut *tx).await?);
    }
    Ok(inserted)
}
