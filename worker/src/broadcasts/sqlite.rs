//! Pages on SQLite, by the one connection that writes: what it reads stays as it is until the page is written.

use domain::{delivery::Channel, job::Leased, notification::UNPROVEN_PUSH_LANE};
use entity::{broadcast, bulk};
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::page::{ADVANCE, BOT_LANE, Bot, CHATS, LIMIT, Made, Page, Recipient, SUBSCRIPTIONS, Terms};

pub(super) async fn claim(pool: &SqlitePool, terms: &Terms) -> Result<Option<Leased>> {
    let now = terms.stamp.now_or_offset;
    let mut update = QueryBuilder::<Sqlite>::new("UPDATE broadcast SET claim = claim + 1, lease_until = ");
    update.push_bind(now + terms.stamp.lease);
    update
        .push(" WHERE id = (SELECT id FROM broadcast WHERE state = 'running' AND lease_until <= ")
        .push_bind(now);
    push_channels(&mut update, terms);
    update.push(" ORDER BY lease_until, id LIMIT 1) RETURNING id, claim");
    let claimed: Option<(Uuid, i32)> = update.build_query_as().fetch_optional(pool).await?;
    Ok(claimed.map(|(id, claim)| Leased { id, claim }))
}

pub(super) async fn page_of(pool: &SqlitePool, leased: Leased, terms: &Terms) -> Result<Option<Made>> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let mut ours = QueryBuilder::<Sqlite>::new("SELECT * FROM broadcast WHERE state = 'running' AND id = ");
    ours.push_bind(leased.id).push(" AND claim = ").push_bind(leased.claim);
    push_channels(&mut ours, terms);
    let ours = ours.build_query_as().fetch_optional(&mut *tx).await?;
    let Some(broadcast): Option<broadcast::Model> = ours else { return Ok(None) };
    let page = page(&mut tx, &broadcast, terms).await?;
    bulk::sqlite::insert_deliveries(&mut tx, &page.deliveries, terms.stamp).await?;
    let made = page.made(broadcast);
    let query = sqlx::query(ADVANCE).bind(made.id).bind(page.cursor).bind(made.count).bind(made.is_last);
    query.bind(terms.stamp.now_or_offset).bind(terms.stamp.lease).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Some(made))
}

fn push_channels(query: &mut QueryBuilder<Sqlite>, terms: &Terms) {
    query.push(" AND channel IN (");
    let mut list = query.separated(", ");
    for channel in &terms.channels {
        list.push_bind(*channel);
    }
    query.push(")");
}

async fn page(tx: &mut SqliteConnection, broadcast: &broadcast::Model, terms: &Terms) -> Result<Page> {
    let Some(bot) = terms.bot.as_ref().filter(|_| broadcast.channel == Channel::Telegram.as_str()) else {
        let found = sqlx::query_as(SUBSCRIPTIONS).bind(broadcast.cursor).bind(broadcast.id).bind(LIMIT);
        let found: Vec<(Uuid, Uuid)> = found.bind(UNPROVEN_PUSH_LANE.0).fetch_all(tx).await?;
        let found: Vec<Recipient> = found.into_iter().map(|(id, lane)| (id, lane.into())).collect();
        return Ok(Page::of(broadcast, Channel::WebPush, &found, None));
    };
    sqlx::query(BOT_LANE).bind(bot.lane.0).bind(bot.rate).execute(&mut *tx).await?;
    Ok(Page::of(broadcast, Channel::Telegram, &chats(tx, broadcast, bot).await?, Some(bot)))
}

async fn chats(tx: &mut SqliteConnection, broadcast: &broadcast::Model, bot: &Bot) -> Result<Vec<Recipient>> {
    let found = sqlx::query_scalar(CHATS).bind(broadcast.cursor).bind(broadcast.id).bind(LIMIT);
    let found: Vec<Uuid> = found.bind(bot.chat_id.as_deref()).fetch_all(tx).await?;
    Ok(found.into_iter().map(|id| (id, bot.lane)).collect())
}
