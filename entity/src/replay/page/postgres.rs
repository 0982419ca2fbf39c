//! Pages on Postgres: the replay's row is locked before its set is read; another worker passes it over.

use domain::replay::PAGE;
use platform::database::{Database, DatabaseError, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Next, Page, ahead_of};
use crate::replay::{Model, queries::Set};

type Result<T, E = sqlx::Error> = std::result::Result<T, E>;

pub(super) async fn next(database: &Database, offset: i64) -> Result<Option<Next>, DatabaseError> {
    const NEXT: &str = "SELECT * FROM replay WHERE state = 'running' AND next_at <= $1
        ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED";
    let mut whole = database.begin().await?;
    let Tx::Postgres(tx) = &mut whole else { return Ok(None) };
    let now: i64 = sqlx::query_scalar("SELECT now_ms() + $1").bind(offset).fetch_one(&mut **tx).await?;
    let next = sqlx::query_as(NEXT).bind(ahead_of(now)).fetch_optional(&mut **tx).await?;
    let Some(replay): Option<Model> = next else { return Ok(None) };
    let candidates = match Set::rest_of(&replay) {
        Some(set) => set.candidates(PAGE).postgres(offset).build_query_as().fetch_all(&mut **tx).await?,
        None => vec![],
    };
    Ok(Some(Next { replay, candidates, now, tx: Some(whole) }))
}

pub(super) async fn write(tx: &mut PgConnection, id: Uuid, page: &Page, now: i64) -> Result<u64> {
    let count = insert(tx, page, now).await?;
    advance(tx, id, page, count, now).await?;
    Ok(count)
}

/// Copies rows within the server; what is gone meanwhile is not copied.
async fn insert(tx: &mut PgConnection, page: &Page, now: i64) -> Result<u64> {
    const SQL: &str = "INSERT INTO delivery
            (id, event_id, user_id, lane_id, channel, recipient_id, body, due_at, created_at)
        SELECT next.id, d.event_id, d.user_id, d.lane_id, d.channel, d.recipient_id, d.body, next.due_at, $4
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS next (old, id, due_at)
        JOIN (SELECT id, event_id, user_id, lane_id, channel, recipient_id, body FROM finished_delivery
              WHERE id BETWEEN $5 AND $6
              UNION ALL
              SELECT id, event_id, user_id, lane_id, channel, recipient_id, body FROM dead_letter
              WHERE id BETWEEN $5 AND $6) AS d ON d.id = next.old";
    let (Some(first), Some(last)) = (page.rows.first(), page.rows.last()) else { return Ok(0) };
    let olds: Vec<Uuid> = page.rows.iter().map(|(old, ..)| *old).collect();
    let ids: Vec<Uuid> = page.rows.iter().map(|(_, id, _)| *id).collect();
    let dues: Vec<i64> = page.rows.iter().map(|(.., due)| *due).collect();
    let query = sqlx::query(SQL).bind(olds).bind(ids).bind(dues).bind(now).bind(first.0).bind(last.0);
    Ok(query.execute(tx).await?.rows_affected())
}

async fn advance(tx: &mut PgConnection, id: Uuid, page: &Page, count: u64, now: i64) -> Result<()> {
    const SQL: &str = "UPDATE replay SET cursor = $2, next_at = $3, done = done + $4,
            skipped = CASE WHEN $6 THEN greatest(total - done - $4, skipped + $5) ELSE skipped + $5 END,
            total = greatest(total, done + skipped + $4 + $5),
            state = CASE WHEN $6 THEN 'done' ELSE state END, finished_at = CASE WHEN $6 THEN $7 END
        WHERE id = $1";
    let made = i64::try_from(count).unwrap_or(i64::MAX);
    let query = sqlx::query(SQL).bind(id).bind(page.cursor).bind(page.next_at).bind(made);
    let query = query.bind(page.seen - made).bind(page.is_last).bind(now);
    query.execute(tx).await.map(drop)
}
