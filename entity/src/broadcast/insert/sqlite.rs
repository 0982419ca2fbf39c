//! Broadcasts on SQLite, by the one connection that writes.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::BroadcastRow;
use crate::stamp::Stamp;

/// Rows a statement, far below SQLite's 32,766 bound values.
const ROWS: usize = 500;

pub(super) async fn insert_new(
    tx: &mut SqliteConnection,
    rows: &[BroadcastRow],
    stamp: Stamp,
) -> Result<Vec<Uuid>> {
    const HEAD: &str = "INSERT INTO broadcast (id, event_id, channel, notice_id, total, queued, created_at, claim, lease_until) ";
    const TAIL: &str =
        " ON CONFLICT (notice_id, channel) WHERE notice_id IS NOT NULL DO NOTHING RETURNING id";
    let mut taken = Vec::with_capacity(rows.len());
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
        insert.push_values(rows, |mut values, row| {
            values
                .push_bind(row.id.0)
                .push_bind(row.event_id.0)
                .push_bind(row.channel.as_str())
                .push_bind(row.notice_id.map(|id| id.0))
                .push_bind(row.total)
                .push_bind(0_i64)
                .push_bind(stamp.now_or_offset)
                .push_bind(i32::from(row.leased))
                .push_bind(stamp.lease_until(row.leased));
        });
        insert.push(TAIL);
        taken.extend(insert.build_query_scalar::<Uuid>().fetch_all(&mut *tx).await?);
    }
    Ok(taken)
}
