//! Recipients on Postgres.

use domain::delivery::Channel;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::{Row, SendResultRow, given_up, left, progress, reached};

const FORGET_SUBSCRIPTIONS: &str = "DELETE FROM push_subscription AS mine
    USING unnest($1::uuid[], $2::bigint[]) AS gone (id, at)
    WHERE mine.id = gone.id AND mine.id = ANY($1) AND mine.updated_at <= gone.at";
const FORGET_UNREACHED: &str = "DELETE FROM push_subscription AS mine
    USING unnest($1::uuid[], $2::bigint[], $3::boolean[]) AS gone (id, at, refused)
    WHERE mine.id = gone.id AND mine.id = ANY($1) AND mine.updated_at <= gone.at AND mine.reached_at IS NULL
        AND NOT (gone.refused AND EXISTS (SELECT 1 FROM lane l WHERE l.id = mine.lane_id))";
// The order of lanes keeps two recorders from waiting for each other's new ones.
const MARK_REACHED: &str = "WITH reached AS (
        UPDATE push_subscription AS mine SET reached_at = row.at
        FROM unnest($1::uuid[], $2::bigint[]) AS row (id, at)
        WHERE mine.id = row.id AND mine.id = ANY($1) AND mine.reached_at IS NULL
        RETURNING mine.lane_id, row.at
    )
    INSERT INTO lane (id, channel, succeeded_at) SELECT lane_id, 'web_push', max(at) FROM reached GROUP BY lane_id ORDER BY lane_id
    ON CONFLICT (id) DO NOTHING";
const DEACTIVATE_SUBSCRIBERS: &str =
    "UPDATE subscriber AS mine SET active = false, updated_at = now_ms() + $3
    FROM unnest($1::uuid[], $2::bigint[]) AS gone (id, at)
    WHERE mine.id = gone.id AND mine.id = ANY($1) AND mine.active AND mine.updated_at <= gone.at";
const KEEP_PROGRESS: &str = "INSERT INTO delivery_progress AS mine (id, parts)
    SELECT id, parts::smallint FROM unnest($1::uuid[], $2::bigint[]) AS row (id, parts)
    ON CONFLICT (id) DO UPDATE SET parts = greatest(mine.parts, excluded.parts)";

pub(in super::super) async fn update_recipients(
    tx: &mut PgConnection,
    rows: &[SendResultRow],
    offset: i64,
) -> Result<()> {
    // First who was reached: others of this batch may have failed for the same subscription.
    let (ids, at) = unzip(reached(rows));
    if !ids.is_empty() {
        sqlx::query(MARK_REACHED).bind(ids).bind(at).execute(&mut *tx).await?;
    }
    let (ids, at) = unzip(left(rows, Channel::WebPush));
    if !ids.is_empty() {
        sqlx::query(FORGET_SUBSCRIPTIONS).bind(ids).bind(at).execute(&mut *tx).await?;
    }
    let given_up = given_up(rows);
    if !given_up.is_empty() {
        sqlx::query(FORGET_UNREACHED)
            .bind(given_up.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(given_up.iter().map(|(_, given_up)| given_up.at.0).collect::<Vec<_>>())
            .bind(given_up.iter().map(|(_, given_up)| given_up.refused).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
    }
    let (ids, at) = unzip(left(rows, Channel::Telegram));
    if !ids.is_empty() {
        sqlx::query(DEACTIVATE_SUBSCRIBERS).bind(ids).bind(at).bind(offset).execute(&mut *tx).await?;
    }
    let (ids, parts) = unzip(progress(rows));
    if !ids.is_empty() {
        sqlx::query(KEEP_PROGRESS).bind(ids).bind(parts).execute(tx).await?;
    }
    Ok(())
}

fn unzip(rows: Vec<Row>) -> (Vec<Uuid>, Vec<i64>) {
    rows.into_iter().unzip()
}
