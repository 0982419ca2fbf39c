//! Subscribers on SQLite. A statement takes at most a thousand rows of seven columns, far below its 32,766 bound values.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use crate::subscriber;

pub(super) async fn upsert(
    tx: &mut SqliteConnection,
    rows: &[subscriber::Model],
    now: i64,
) -> Result<Vec<subscriber::Model>> {
    const HEAD: &str = "INSERT INTO subscriber (id, user_id, chat_id, name, active, created_at, updated_at) ";
    const TAIL: &str = " ON CONFLICT (chat_id) DO UPDATE
        SET user_id = coalesce(excluded.user_id, subscriber.user_id), name = coalesce(excluded.name, subscriber.name),
            active = excluded.active, updated_at = excluded.updated_at
        RETURNING id, user_id, chat_id, name, active, created_at, updated_at";
    let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
    insert.push_values(rows, |mut values, row| {
        values
            .push_bind(row.id)
            .push_bind(row.user_id)
            .push_bind(row.chat_id.as_deref())
            .push_bind(row.name.as_deref())
            .push_bind(row.active)
            .push_bind(now)
            .push_bind(now);
    });
    insert.push(TAIL).build_query_as().fetch_all(tx).await
}
