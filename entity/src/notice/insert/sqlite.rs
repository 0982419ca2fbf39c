//! Notices on SQLite. A statement takes at most a thousand rows of seven columns, far below its 32,766 bound values.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use crate::notice;

pub(super) async fn insert(tx: &mut SqliteConnection, rows: &[notice::Model]) -> Result<()> {
    const HEAD: &str = "INSERT INTO notice (id, title, message, kind, url, created_at) ";
    let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
    insert.push_values(rows, |mut values, row| {
        values
            .push_bind(row.id)
            .push_bind(row.title.as_str())
            .push_bind(row.message.as_str())
            .push_bind(row.kind.as_str())
            .push_bind(row.url.as_deref())
            .push_bind(row.created_at);
    });
    insert.build().execute(tx).await.map(drop)
}
