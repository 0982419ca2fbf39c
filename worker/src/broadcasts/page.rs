//! What a page is made of, whichever database it is made in: whom it reaches, and the rows that it writes.

use domain::{
    clock::millis,
    delivery::Channel,
    id::{DeliveryId, LaneId},
    job::LEASE,
    notification::{BOT_RATE, CHAT_OF_SETTINGS, bot_lane},
};
use entity::{
    broadcast,
    bulk::{DeliveryRow, Stamp},
};
use platform::context::Context;
use uuid::Uuid;

use super::{PAGE, channels};

/// The next recipients of a page, with their lanes. `$1` is the cursor, `$2` the broadcast, `$4` the lane of push services
/// that have taken no message: they have none of their own.
pub(super) const SUBSCRIPTIONS: &str =
    "SELECT s.id, coalesce((SELECT l.id FROM lane l WHERE l.id = s.lane_id), $4) AS lane_id
    FROM push_subscription s WHERE s.id > $1 AND s.id < $2 ORDER BY s.id LIMIT $3";
/// The next chats. `$4` is the chat of the settings, which has its delivery already.
pub(super) const CHATS: &str = "SELECT id FROM subscriber
    WHERE active AND chat_id IS NOT NULL AND id > $1 AND id < $2 AND (CAST($4 AS text) IS NULL OR chat_id <> $4)
    ORDER BY id LIMIT $3";
/// A bot's lane has a pace of its own.
pub(super) const BOT_LANE: &str =
    "INSERT INTO lane (id, channel, rate_limit) VALUES ($1, 'telegram', $2) ON CONFLICT (id) DO NOTHING";
/// Moves the cursor and renews the lease.
pub(super) const ADVANCE: &str = "UPDATE broadcast SET cursor = $2, queued = queued + $3,
        state = CASE WHEN $4 THEN 'done' ELSE state END, finished_at = CASE WHEN $4 THEN CAST($5 AS bigint) END,
        lease_until = $5 + $6
    WHERE id = $1";
/// How many recipients one page has at most.
pub(super) const LIMIT: i64 = PAGE as i64;

/// The bot that messages of chats go out by.
pub(super) struct Bot {
    pub(super) lane: LaneId,
    pub(super) rate: i32,
    /// The chat that gets everything, beside the subscribers.
    pub(super) chat_id: Option<String>,
}

/// What a page depends on besides its broadcast.
pub(super) struct Terms {
    pub(super) channels: Vec<&'static str>,
    pub(super) stamp: Stamp,
    pub(super) bot: Option<Bot>,
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

/// A recipient with its lane.
pub(super) type Recipient = (Uuid, LaneId);

/// A page before it is written.
pub(super) struct Page {
    pub(super) deliveries: Vec<DeliveryRow>,
    pub(super) cursor: Uuid,
    pub(super) is_last: bool,
}

impl Page {
    /// A delivery for each of `recipients`, and before the first of a bot's one for the chat of the settings.
    pub(super) fn of(
        broadcast: &broadcast::Model,
        channel: Channel,
        recipients: &[Recipient],
        bot: Option<&Bot>,
    ) -> Self {
        let is_first = broadcast.cursor.is_nil();
        let by_settings = bot.filter(|bot| is_first && bot.chat_id.is_some());
        let by_settings = by_settings.map(|bot| (CHAT_OF_SETTINGS, bot.lane));
        let all = by_settings.into_iter().chain(recipients.iter().copied());
        Self {
            deliveries: all.map(|to| delivery(broadcast, channel, to)).collect(),
            cursor: recipients.last().map_or(broadcast.cursor, |(id, _)| *id),
            is_last: recipients.len() < PAGE,
        }
    }

    pub(super) fn made(&self, broadcast: broadcast::Model) -> Made {
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
