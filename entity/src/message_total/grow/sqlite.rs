//! Counts of messages on SQLite.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use super::Growth;

/// Rows a statement, far below SQLite's 32,766 bound values.
const ROWS: usize = 500;

pub(super) async fn grow(tx: &mut SqliteConnection, growth: &Growth<'_>) -> Result<()> {
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
