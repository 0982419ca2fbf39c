//! Pages on SQLite: the set is read beside the writer, and a page is written only when the replay still stands where it
//! stood: a long search holds up no accept.

use domain::replay::PAGE;
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{Next, Page, ahead_of};
use crate::replay::{Model, queries::Set};

/// Rows a statement: with three columns far below SQLite's 32,766 bound values.
const ROWS: usize = 500;

pub(super) async fn next(reader: &SqlitePool, now: i64) -> Result<Option<Next>> {
    const NEXT: &str =
        "SELECT * FROM replay WHERE state = 'running' AND next_at <= $1 ORDER BY next_at, id LIMIT 1";
    let next = sqlx::query_as(NEXT).bind(ahead_of(now)).fetch_optional(reader).await?;
    let Some(replay): Option<Model> = next else { return Ok(None) };
    let candidates = match Set::rest_of(&replay) {
        Some(set) => set.candidates(PAGE).sqlite(now).build_query_as().fetch_all(reader).await?,
        None => vec![],
    };
    Ok(Some(Next { replay, candidates, now, tx: None }))
}

/// Whether it was neither paused nor had a page made since it was read.
pub(super) async fn stands(tx: &mut SqliteConnection, replay: &Model) -> Result<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM replay
        WHERE id = $1 AND state = 'running' AND cursor = $2 AND done = $3 AND skipped = $4)";
    let query = sqlx::query_scalar(SQL).bind(replay.id).bind(replay.cursor).bind(replay.done);
    query.bind(replay.skipped).fetch_one(tx).await
}

pub(super) async fn write(tx: &mut SqliteConnection, id: Uuid, page: &Page, now: i64) -> Result<u64> {
    let count = insert(tx, page, now).await?;
    advance(tx, id, page, count, now).await?;
    Ok(count)
}

async fn insert(tx: &mut SqliteConnection, page: &Page, now: i64) -> Result<u64> {
    let mut count = 0;
    for rows in page.rows.chunks(ROWS) {
        for table in ["finished_delivery", "dead_letter"] {
            let mut insert = QueryBuilder::<Sqlite>::new("WITH next (old, id, due_at) AS (");
            insert.push_values(rows, |mut values, (old, id, due)| {
                values.push_bind(*old).push_bind(*id).push_bind(*due);
            });
            insert.push(
                ") INSERT INTO delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, created_at)
                SELECT next.id, d.event_id, d.user_id, d.lane_id, d.channel, d.recipient_id, d.body, next.due_at, ",
            );
            insert.push_bind(now).push(" FROM next JOIN ").push(table).push(" d ON d.id = next.old");
            count += insert.build().execute(&mut *tx).await?.rows_affected();
        }
    }
    Ok(count)
}

async fn advance(tx: &mut SqliteConnection, id: Uuid, page: &Page, count: u64, now: i64) -> Result<()> {
    const SQL: &str = "UPDATE replay SET cursor = $2, next_at = $3, done = done + $4,
            skipped = CASE WHEN $6 THEN max(total - done - $4, skipped + $5) ELSE skipped + $5 END,
            total = max(total, done + skipped + $4 + $5),
            state = CASE WHEN $6 THEN 'done' ELSE state END, finished_at = CASE WHEN $6 THEN $7 END
        WHERE id = $1";
    let made = i64::try_from(count).unwrap_or(i64::MAX);
    let query = sqlx::query(SQL).bind(id).bind(page.cursor).bind(page.next_at).bind(made);
    let query = query.bind(page.seen - made).bind(page.is_last).bind(now);
    query.execute(tx).await.map(drop)
}
