//! What sends say of their recipients: who has left, and how much of a message is out. Both are true whichever
//! worker has the delivery by now, so no fence holds them.

use domain::{
    clock::Millis,
    delivery::{Channel, NextStep},
};
use sqlx::{PgConnection, QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::rows::Ended;

/// What a send says of its recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecipientUpdate {
    /// It has left: when the send started that showed it, by the database's clock. A recipient that was registered again
    /// after that stays.
    pub left_at: Option<Millis>,
    /// A delivery to this subscription is dead, and no message had reached it when it was claimed.
    pub given_up: Option<GivenUp>,
    /// A message reached this subscription, and none had before.
    pub reached_at: Option<Millis>,
    /// Parts of the message that are out, in all.
    pub parts_sent: u16,
}

/// A delivery to a subscription that no message has reached is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// When the last send started, by the database's clock.
    pub at: Millis,
    /// Its push service refused it. Then the subscription is forgotten only if the service has never taken a message: a
    /// service that has may refuse for a fault of ours.
    pub refused: bool,
}

/// A row, and a number that belongs to it.
type Row = (Uuid, i64);

const FORGET_SUBSCRIPTIONS: &str = "DELETE FROM push_subscription AS mine
    USING unnest($1::uuid[], $2::bigint[]) AS gone (id, at)
    WHERE mine.id = gone.id AND mine.id = ANY($1) AND mine.updated_at <= gone.at";
const FORGET_UNREACHED: &str = "DELETE FROM push_subscription AS mine
    USING unnest($1::uuid[], $2::bigint[], $3::boolean[]) AS gone (id, at, refused)
    WHERE mine.id = gone.id AND mine.id = ANY($1) AND mine.updated_at <= gone.at AND mine.reached_at IS NULL
        AND NOT (gone.refused AND EXISTS (SELECT 1 FROM lane l WHERE l.id = mine.lane_id))";
// The order of lanes keeps two recorders from waiting for each other's new ones.
const NOTE_REACHED: &str = "WITH reached AS (
        UPDATE push_subscription AS mine SET reached_at = row.at
        FROM unnest($1::uuid[], $2::bigint[]) AS row (id, at)
        WHERE mine.id = row.id AND mine.id = ANY($1) AND mine.reached_at IS NULL
        RETURNING mine.lane_id, row.at
    )
    INSERT INTO lane (id, channel, succeeded_at) SELECT lane_id, 'web_push', max(at) FROM reached GROUP BY lane_id ORDER BY lane_id
    ON CONFLICT (id) DO NOTHING";
const SILENCE_SUBSCRIBERS: &str = "UPDATE subscriber AS mine SET active = false, updated_at = now_ms() + $3
    FROM unnest($1::uuid[], $2::bigint[]) AS gone (id, at)
    WHERE mine.id = gone.id AND mine.id = ANY($1) AND mine.active AND mine.updated_at <= gone.at";
const KEEP_PROGRESS: &str = "INSERT INTO delivery_progress AS mine (id, parts)
    SELECT id, parts::smallint FROM unnest($1::uuid[], $2::bigint[]) AS row (id, parts)
    ON CONFLICT (id) DO UPDATE SET parts = greatest(mine.parts, excluded.parts)";

pub(super) async fn on_postgres(tx: &mut PgConnection, ended: &[Ended], offset: i64) -> Result<()> {
    // First who was reached: others of this batch may have failed for the same subscription.
    let (ids, at) = unzip(reached(ended));
    if !ids.is_empty() {
        sqlx::query(NOTE_REACHED).bind(ids).bind(at).execute(&mut *tx).await?;
    }
    let (ids, at) = unzip(left(ended, Channel::WebPush));
    if !ids.is_empty() {
        sqlx::query(FORGET_SUBSCRIPTIONS).bind(ids).bind(at).execute(&mut *tx).await?;
    }
    let given_up = given_up(ended);
    if !given_up.is_empty() {
        sqlx::query(FORGET_UNREACHED)
            .bind(given_up.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(given_up.iter().map(|(_, given_up)| given_up.at.0).collect::<Vec<_>>())
            .bind(given_up.iter().map(|(_, given_up)| given_up.refused).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
    }
    let (ids, at) = unzip(left(ended, Channel::Telegram));
    if !ids.is_empty() {
        sqlx::query(SILENCE_SUBSCRIBERS).bind(ids).bind(at).bind(offset).execute(&mut *tx).await?;
    }
    let (ids, parts) = unzip(progress(ended));
    if !ids.is_empty() {
        sqlx::query(KEEP_PROGRESS).bind(ids).bind(parts).execute(tx).await?;
    }
    Ok(())
}

/// As many rows as a record has at most.
pub(super) async fn on_sqlite(tx: &mut SqliteConnection, ended: &[Ended], now: i64) -> Result<()> {
    // First who was reached: others of this batch may have failed for the same subscription.
    let reached = reached(ended);
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
    let browsers = left(ended, Channel::WebPush);
    if !browsers.is_empty() {
        let mut delete = with_rows("gone", &browsers);
        delete.push("DELETE FROM push_subscription WHERE EXISTS (SELECT 1 FROM gone ");
        delete.push("WHERE gone.id = push_subscription.id AND push_subscription.updated_at <= gone.at)");
        delete.push(" AND id IN (SELECT id FROM gone)");
        delete.build().execute(&mut *tx).await?;
    }
    let given_up = given_up(ended);
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
    let chats = left(ended, Channel::Telegram);
    if !chats.is_empty() {
        let mut update = with_rows("gone", &chats);
        update.push("UPDATE subscriber SET active = false, updated_at = ").push_bind(now);
        update.push(" FROM gone WHERE subscriber.id = gone.id AND subscriber.active ");
        update.push("AND subscriber.updated_at <= gone.at");
        update.build().execute(&mut *tx).await?;
    }
    let progress = progress(ended);
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

/// Who has left a channel, each once, in the order that every recorder keeps.
fn left(ended: &[Ended], channel: Channel) -> Vec<Row> {
    let theirs = ended.iter().filter(|one| one.delivery.channel == channel.as_str());
    let left = theirs.filter_map(|one| Some((one.delivery.recipient.id()?, one.recipient.left_at?.0)));
    newest(left.collect())
}

/// Subscriptions with a dead delivery that no message had reached, each once.
fn given_up(ended: &[Ended]) -> Vec<(Uuid, GivenUp)> {
    let given_up =
        ended.iter().filter_map(|one| Some((one.delivery.recipient.id()?, one.recipient.given_up?)));
    let mut rows: Vec<_> = given_up.collect();
    rows.sort_unstable_by_key(|(id, given_up)| (*id, given_up.refused));
    rows.dedup_by_key(|(id, _)| *id);
    rows
}

/// Which subscriptions were reached for the first time, each once.
fn reached(ended: &[Ended]) -> Vec<Row> {
    let reached =
        ended.iter().filter_map(|one| Some((one.delivery.recipient.id()?, one.recipient.reached_at?.0)));
    newest(reached.collect())
}

/// How much is out of messages that are not out as a whole.
fn progress(ended: &[Ended]) -> Vec<Row> {
    let partly = ended.iter().filter(|one| one.recipient.parts_sent > 0 && one.next != NextStep::Succeed);
    newest(partly.map(|one| (one.delivery.id().0, i64::from(one.recipient.parts_sent))).collect())
}

/// Each row once, with its greatest number.
fn newest(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then(y.cmp(x)));
    rows.dedup_by_key(|(id, _)| *id);
    rows
}

fn unzip(rows: Vec<Row>) -> (Vec<Uuid>, Vec<i64>) {
    rows.into_iter().unzip()
}
