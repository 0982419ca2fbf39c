//! Messages on SQLite.

use std::sync::Arc;

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{Growth, MessageRow};

/// Rows a statement, far below SQLite's 32,766 bound values.
const ROWS: usize = 500;

/// Inserts the messages whose id is new, and returns their events. `rows` are distinct.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn insert(tx: &mut SqliteConnection, rows: &[Arc<MessageRow>], now: i64) -> Result<Vec<Uuid>> {
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

/// Adds new messages to the counts.
///
/// # Errors
/// Those of the database; the caller's transaction is then lost.
pub async fn count(tx: &mut SqliteConnection, growth: &Growth<'_>) -> Result<()> {
    const TOTAL: &str =
        "UPDATE message_total SET messages = messages + ?, senders = senders + ? WHERE shard = ?";
    let mut new_senders = 0;
    let by_sender: Vec<(&str, i64)> = growth.by_sender.iter().map(|(sender, n)| (*sender, *n)).collect();
    for senders in by_sender.chunks(ROWS) {
        let mut upsert = QueryBuilder::<Sqlite>::new("INSERT INTO message_sender (sender, messages) ");
        upsert.push_values(senders, |mut values, (sender, messages)| {
            values.push_bind(*sender).push_bind(*messages);
        });
        upsert.push(
            " ON CONFLICT (sender) DO UPDATE SET messages = message_sender.messages + excluded.messages
            RETURNING sender, messages",
        );
        new_senders += growth.new_senders(&upsert.build_query_as().fetch_all(&mut *tx).await?);
    }
    let total = sqlx::query(TOTAL).bind(growth.messages()).bind(new_senders).bind(growth.shard);
    total.execute(tx).await.map(drop)
}
