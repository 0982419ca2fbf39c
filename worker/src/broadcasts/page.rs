//! One page of a broadcast: whom it reaches, and the rows that it writes, in one transaction.

use domain::{
    clock::millis,
    delivery::Channel,
    id::{DeliveryId, LaneId},
    job::{LEASE, Leased},
    notification::{BOT_RATE, CONFIGURED_CHAT, bot_lane},
};
use entity::{
    broadcast::{
        self,
        page::{Advance, advance, chats, ensure_bot_lane, lock, subscriptions},
    },
    delivery::insert::{DeliveryRow, insert_deliveries},
    stamp::Stamp,
};
use platform::{
    context::Context,
    database::{DatabaseError, Tx},
};
use uuid::Uuid;

use super::{PAGE, channels};

/// How many recipients one page has at most.
const LIMIT: i64 = PAGE as i64;

/// The bot that messages of chats go out by.
struct Bot {
    lane: LaneId,
    rate: i32,
    /// The chat that gets everything, beside the subscribers.
    chat_id: Option<String>,
}

/// What a page depends on besides its broadcast.
pub(super) struct Terms {
    pub(super) channels: Vec<&'static str>,
    pub(super) stamp: Stamp,
    bot: Option<Bot>,
}

impl Terms {
    pub(super) fn of(context: &Context) -> Self {
        let bot = context.config.telegram.as_ref().map(|telegram| Bot {
            lane: bot_lane(telegram.bot_token.expose()),
            rate: BOT_RATE,
            chat_id: telegram.chat_id.clone(),
        });
        let now_or_offset = context.database.statement_time(&context.clock);
        // Its deliveries are claimed lane by lane, in turn with all others; the lease is the broadcast's own.
        let stamp = Stamp { now_or_offset, lease: millis(LEASE) };
        Self { channels: channels(context).into_iter().map(Channel::as_str).collect(), stamp, bot }
    }
}

/// Makes the next page of a leased broadcast; none when the lease is another worker's by now, or the channel is not set in
/// this process.
pub(super) async fn make(
    context: &Context,
    leased: Leased,
    terms: &Terms,
) -> Result<Option<Made>, DatabaseError> {
    let mut tx = context.database.begin().await?;
    let Some(broadcast) = lock(&mut tx, leased, &terms.channels).await? else { return Ok(None) };
    let page = read(&mut tx, &broadcast, terms.bot.as_ref()).await?;
    insert_deliveries(&mut tx, &page.deliveries, terms.stamp).await?;
    let (cursor, made) = (page.cursor, page.made(broadcast));
    let to = Advance { id: made.id, cursor, count: made.count, is_last: made.is_last };
    advance(&mut tx, to, terms.stamp).await?;
    tx.commit().await?;
    Ok(Some(made))
}

async fn read(tx: &mut Tx, broadcast: &broadcast::Model, bot: Option<&Bot>) -> Result<Page, DatabaseError> {
    let Some(bot) = bot.filter(|_| broadcast.channel == Channel::Telegram.as_str()) else {
        let found = subscriptions(tx, broadcast, LIMIT).await?;
        return Ok(Page::of(broadcast, Channel::WebPush, &found, None));
    };
    ensure_bot_lane(tx, bot.lane, bot.rate).await?;
    let found = chats(tx, broadcast, bot.chat_id.as_deref(), LIMIT).await?;
    let found: Vec<Recipient> = found.into_iter().map(|id| (id, bot.lane)).collect();
    Ok(Page::of(broadcast, Channel::Telegram, &found, Some(bot)))
}

/// A recipient with its lane.
type Recipient = (Uuid, LaneId);

/// A page before it is written.
struct Page {
    deliveries: Vec<DeliveryRow>,
    cursor: Uuid,
    is_last: bool,
}

impl Page {
    /// A delivery for each of `recipients`, and before the first of a bot's one for the chat of the settings.
    fn of(
        broadcast: &broadcast::Model,
        channel: Channel,
        recipients: &[Recipient],
        bot: Option<&Bot>,
    ) -> Self {
        let is_first = broadcast.cursor.is_nil();
        let by_settings = bot.filter(|bot| is_first && bot.chat_id.is_some());
        let by_settings = by_settings.map(|bot| (CONFIGURED_CHAT, bot.lane));
        let all = by_settings.into_iter().chain(recipients.iter().copied());
        Self {
            deliveries: all.map(|to| delivery(broadcast, channel, to)).collect(),
            cursor: recipients.last().map_or(broadcast.cursor, |(id, _)| *id),
            is_last: recipients.len() < PAGE,
        }
    }

    fn made(&self, broadcast: broadcast::Model) -> Made {
        let count = i64::try_from(self.deliveries.len()).unwrap_or(i64::MAX);
        let queued = broadcast.queued + count;
        Made { id: broadcast.id, channel: broadcast.channel, count, queued, is_last: self.is_last }
    }
}

/// What was made.
pub(super) struct Made {
    pub(super) id: Uuid,
    pub(super) channel: String,
    pub(super) count: i64,
    pub(super) queued: i64,
    pub(super) is_last: bool,
}

fn delivery(broadcast: &broadcast::Model, channel: Channel, (id, lane_id): Recipient) -> DeliveryRow {
    DeliveryRow {
        id: DeliveryId::new(),
        event_id: broadcast.event_id.into(),
        user_id: None,
        lane_id,
        channel,
        recipient_id: id,
        body: None,
        due_at: None,
        leased: false,
    }
}
