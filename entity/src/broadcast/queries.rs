//! Broadcasts: how many recipients a channel has, how those of an event stand, and which notices have yet to go out.
//! They belong to no user: only administrators may ask for them.

use domain::{
    clock::Millis,
    delivery::Channel,
    id::{EventId, NoticeId, first_id_at},
    notification::Notification,
};
use uuid::Uuid;

use crate::{delivery::queries::SKEW_MS, sql_builder::SqlBuilder};

/// A number of recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipients {
    /// How many.
    pub recipients: i64,
}

from_row!(Recipients { recipients });

/// How a broadcast stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayStatus {
    /// Its channel.
    pub channel: String,
    /// Whether every recipient has its delivery.
    pub is_done: bool,
    /// Deliveries made so far.
    pub queued: i64,
    /// Those that arrived.
    pub succeeded: i64,
    /// Those that were given up or called off.
    pub failed: i64,
}

from_row!(DisplayStatus { channel, is_done, queued, succeeded, failed });

/// A notice that has yet to go out on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    id: Uuid,
    title: String,
    message: String,
    url: Option<String>,
}

from_row!(Unsent { id, title, message, url });

impl Unsent {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The message.
    #[must_use]
    pub fn into_notification(self) -> Notification {
        let notice_id = Some(NoticeId(self.id));
        Notification { title: Some(self.title), message: self.message, url: self.url, notice_id }
    }
}

/// How many recipients a channel has now; `chat` is the one that the settings name, which counts once.
#[must_use]
pub fn recipients(channel: Channel, chat: Option<&str>) -> SqlBuilder {
    let mut query = SqlBuilder::default();
    match (channel, chat) {
        (Channel::Telegram, None) => {
            query.sql("SELECT count(*) AS recipients FROM subscriber WHERE active AND chat_id IS NOT NULL");
        }
        (Channel::Telegram, Some(chat)) => {
            query.sql("SELECT count(*) + 1 AS recipients FROM subscriber WHERE active AND chat_id <> ");
            query.text(chat);
        }
        (Channel::WebPush | Channel::Webhook, _) => {
            query.sql("SELECT count(*) AS recipients FROM push_subscription");
        }
    }
    query
}

/// How the broadcasts of an event stand.
#[must_use]
pub fn standings(event_id: EventId, accepted_at: Millis) -> SqlBuilder {
    // Deliveries are younger than their event, by whatever clock.
    let lower = first_id_at(Millis(accepted_at.0 - SKEW_MS));
    let mut query = SqlBuilder::default();
    query.sql("SELECT b.channel, b.state = 'done' AS is_done, b.queued, ");
    query.sql("count(f.id) FILTER (WHERE f.state = 'succeeded') AS succeeded, ");
    query.sql("count(f.id) FILTER (WHERE f.state <> 'succeeded') AS failed FROM broadcast b ");
    query.sql(
        "LEFT JOIN finished_delivery f ON f.event_id = b.event_id AND f.channel = b.channel AND f.id >= ",
    );
    query.id(lower).sql(" WHERE b.event_id = ").id(event_id.0);
    query.sql(" GROUP BY b.id, b.channel, b.state, b.queued ORDER BY b.channel");
    query
}

/// At most `limit` notices behind `after` that have yet to go out on one of these channels, oldest first.
#[must_use]
pub fn unsent(channels: &[Channel], after: Uuid, limit: i64) -> SqlBuilder {
    let mut query = SqlBuilder::default();
    query.sql("SELECT n.id, n.title, n.message, n.url FROM notice n WHERE n.id > ").id(after).sql(" AND (");
    for (place, channel) in channels.iter().enumerate() {
        query.sql(if place > 0 { " OR " } else { "" });
        query.sql("NOT EXISTS (SELECT 1 FROM broadcast b WHERE b.notice_id = n.id AND b.channel = ");
        query.text(channel.as_str()).sql(")");
    }
    query.sql(") ORDER BY n.id LIMIT ").number(limit);
    query
}
