//! Recipients on SQLite.

use domain::delivery::Channel;
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use super::{Row, SendResultRow, given_up, left, progress, reached};

/// As many rows as a record has at most.
pub(in super::super) async fn update_recipients(
    tx: &mut SqliteConnection,
    rows: &[SendResultRow],
    now: i64,
) -> Result<()> {
    // First who was reached: others of this batch may have failed for the same subscription.
    let reached = reached(rows);
    if !reached.is_empty() {
        let mut lanes = with_rows("reached", &reached);
        lanes.push(
            "INSERT INTO lane (id, channel, succeeded_at) SELECT s.lane_id, 'web_push', max(reached.at) ",
        );
        lanes.push("FROM reached JOIN push_subscription s ON s.id = reached.id WHERE s.reached_at IS NULL ");
        lanes.push("GROUP BY s.lane_id ON CONFLICT (id) DO NOTHING");
        lanes.build().execute(&mut *tx).await?;
        let mut update = with_rows("reached", &reached);
        update.push("UPDATE push_subscription SET reached_at = reached.at FROM reached ");
        update.push("WHERE push_subscription.id = reached.id AND push_subscription.reached_at IS NULL");
        update.build().execute(&mut *tx).await?;
    }
    let browsers = left(rows, Channel::WebPush);
    if !browsers.is_empty() {
        let mut delete = with_rows("gone", &browsers);
        delete.push("DELETE FROM push_subscription WHERE EXISTS (SELECT 1 FROM gone ");
        delete.push("WHERE gone.id = push_subscription.id AND push_subscription.updated_at <= gone.at)");
        delete.push(" AND id IN (SELECT id FROM gone)");
        delete.build().execute(&mut *tx).await?;
    }
    let given_up = given_up(rows);
    if !given_up.is_empty() {
        let mut delete = QueryBuilder::<Sqlite>::new("WITH gone (id, at, refused) AS (");
        delete.push_values(&given_up, |mut values, (id, given_up)| {
            values.push_bind(*id).push_bind(given_up.at.0).push_bind(given_up.refused);
        });
        delete
            .push(") DELETE FROM push_subscription WHERE reached_at IS NULL AND EXISTS (SELECT 1 FROM gone ");
        delete.push("WHERE gone.id = push_subscription.id AND push_subscription.updated_at <= gone.at ");
        delete.push("AND NOT (gone.refused AND EXISTS (SELECT 1 FROM lane l WHERE l.id = push_subscription.lane_id)))");
        delete.push(" AND id IN (SELECT id FROM gone)");
        delete.build().execute(&mut *tx).await?;
    }
    let chats = left(rows, Channel::Telegram);
    if !chats.is_empty() {
        let mut update = with_rows("gone", &chats);
        update.push("UPDATE subscriber SET active = false, updated_at = ").push_bind(now);
        update.push(" FROM gone WHERE subscriber.id = gone.id AND subscriber.active ");
        update.push("AND subscriber.updated_at <= gone.at");
        update.build().execute(&mut *tx).await?;
    }
    let progress = progress(rows);
    if !progress.is_empty() {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO delivery_progress (id, parts) ");
        insert.push_values(progress, |mut values, (id, parts)| {
            values.push_bind(id).push_bind(parts);
        });
        insert.push(" ON CONFLICT (id) DO UPDATE SET parts = max(delivery_progress.parts, excluded.parts)");
        insert.build().execute(tx).await?;
    }
    Ok(())
}

fn with_rows(name: &str, rows: &[Row]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(format!("WITH {name} (id, at) AS ("));
    query.push_values(rows, |mut values, (id, at)| {
        values.push_bind(*id).push_bind(*at);
    });
    query.push(") ");
    query
}
