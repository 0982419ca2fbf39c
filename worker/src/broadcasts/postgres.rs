//! Pages on Postgres: the broadcast's row is locked before its recipients are read.

use domain::{delivery::Channel, job::Leased, notification::UNPROVEN_PUSH_LANE};
use entity::{
    broadcast,
    bulk::{self, Stamp},
};
use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

use super::page::{ADVANCE, BOT_LANE, Bot, CHATS, LIMIT, Made, Page, Recipient, SUBSCRIPTIONS, Terms};

const CLAIM: &str = "UPDATE broadcast SET claim = claim + 1, lease_until = now_ms() + $2 + $3 WHERE id = ANY(ARRAY(
        SELECT id FROM broadcast WHERE state = 'running' AND channel = ANY($1) AND lease_until <= now_ms() + $2
        ORDER BY lease_until, id LIMIT 1 FOR UPDATE SKIP LOCKED))
    RETURNING id, claim";
const LEASED: &str = "SELECT * FROM broadcast
    WHERE id = $1 AND claim = $2 AND state = 'running' AND channel = ANY($3) FOR UPDATE SKIP LOCKED";

pub(super) async fn claim(pool: &PgPool, terms: &Terms) -> Result<Option<Leased>> {
    let query = sqlx::query_as(CLAIM).bind(&terms.channels).bind(terms.stamp.now_or_offset);
    let claimed: Option<(Uuid, i32)> = query.bind(terms.stamp.lease).fetch_optional(pool).await?;
    Ok(claimed.map(|(id, claim)| Leased { id, claim }))
}

pub(super) async fn page_of(pool: &PgPool, leased: Leased, terms: &Terms) -> Result<Option<Made>> {
    let mut tx = pool.begin().await?;
    let ours = sqlx::query_as(LEASED).bind(leased.id).bind(leased.claim).bind(&terms.channels);
    let Some(broadcast): Option<broadcast::Model> = ours.fetch_optional(&mut *tx).await? else {
        return Ok(None);
    };
    let page = page(&mut tx, &broadcast, terms).await?;
    bulk::postgres::insert_deliveries(&mut tx, &page.deliveries, terms.stamp).await?;
    let made = page.made(broadcast);
    advance(&mut tx, &page, &made, terms.stamp).await?;
    tx.commit().await?;
    Ok(Some(made))
}

async fn page(tx: &mut PgConnection, broadcast: &broadcast::Model, terms: &Terms) -> Result<Page> {
    let Some(bot) = terms.bot.as_ref().filter(|_| broadcast.channel == Channel::Telegram.as_str()) else {
        let found = sqlx::query_as(SUBSCRIPTIONS).bind(broadcast.cursor).bind(broadcast.id).bind(LIMIT);
        let found: Vec<(Uuid, Uuid)> = found.bind(UNPROVEN_PUSH_LANE.0).fetch_all(tx).await?;
        let found: Vec<Recipient> = found.into_iter().map(|(id, lane)| (id, lane.into())).collect();
        return Ok(Page::of(broadcast, Channel::WebPush, &found, None));
    };
    sqlx::query(BOT_LANE).bind(bot.lane.0).bind(bot.rate).execute(&mut *tx).await?;
    Ok(Page::of(broadcast, Channel::Telegram, &chats(tx, broadcast, bot).await?, Some(bot)))
}

async fn chats(tx: &mut PgConnection, broadcast: &broadcast::Model, bot: &Bot) -> Result<Vec<Recipient>> {
    let found = sqlx::query_scalar(CHATS).bind(broadcast.cursor).bind(broadcast.id).bind(LIMIT);
    let found: Vec<Uuid> = found.bind(bot.chat_id.as_deref()).fetch_all(tx).await?;
    Ok(found.into_iter().map(|id| (id, bot.lane)).collect())
}

async fn advance(tx: &mut PgConnection, page: &Page, made: &Made, stamp: Stamp) -> Result<()> {
    let now: i64 =
        sqlx::query_scalar("SELECT now_ms() + $1").bind(stamp.now_or_offset).fetch_one(&mut *tx).await?;
    let query = sqlx::query(ADVANCE).bind(made.id).bind(page.cursor).bind(made.count);
    query.bind(made.is_last).bind(now).bind(stamp.lease).execute(tx).await.map(drop)
}
