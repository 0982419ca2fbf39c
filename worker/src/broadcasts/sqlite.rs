//! Pages on SQLite, by the one connection that writes: what it reads stays as it is until the page is written. It is asked
//! for only when there is a page to make.

use domain::delivery::Channel;
use entity::{broadcast, bulk};
use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::page::{ADVANCE, BOT_LANE, Bot, CHATS, LIMIT, Made, Page, Recipient, SUBSCRIPTIONS, Terms};

pub(super) async fn step(
    pool: &SqlitePool,
    reader: &SqlitePool,
    ids: Option<&[Uuid]>,
    terms: &Terms,
) -> Result<Option<Made>> {
    if next(ids, terms).build().fetch_optional(reader).await?.is_none() {
        return Ok(None);
    }
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let next = next(ids, terms).build_query_as().fetch_optional(&mut *tx).await?;
    let Some(broadcast): Option<broadcast::Model> = next else { return Ok(None) };
    let page = page(&mut tx, &broadcast, terms).await?;
    bulk::sqlite::insert_deliveries(&mut tx, &page.deliveries, terms.stamp).await?;
    let made = page.made(broadcast);
    let query = sqlx::query(ADVANCE).bind(made.id).bind(page.cursor).bind(made.count).bind(made.is_last);
    query.bind(terms.stamp.now_or_offset).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Some(made))
}

/// The next broadcast of these, or of all.
fn next<'q>(ids: Option<&'q [Uuid]>, terms: &'q Terms) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT * FROM broadcast WHERE state = 'running' AND channel IN (");
    let mut list = query.separated(", ");
    for channel in &terms.channels {
        list.push_bind(*channel);
    }
    query.push(")");
    if let Some(ids) = ids {
        query.push(" AND id IN ");
        bulk::sqlite::push_list(&mut query, ids);
    }
    query.push(" ORDER BY id LIMIT 1");
    query
}

async fn page(tx: &mut SqliteConnection, broadcast: &broadcast::Model, terms: &Terms) -> Result<Page> {
    let Some(bot) = terms.bot.as_ref().filter(|_| broadcast.channel == Channel::Telegram.as_str()) else {
        let found = sqlx::query_as(SUBSCRIPTIONS).bind(broadcast.cursor).bind(broadcast.id).bind(LIMIT);
        let found: Vec<(Uuid, Uuid)> = found.fetch_all(tx).await?;
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
