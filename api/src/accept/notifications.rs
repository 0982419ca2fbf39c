//! Notifications of a batch: an event each, and a broadcast for each channel that it goes out on. A notice goes out once on
//! a channel: who comes second gets no broadcast, and no event when there is none left.

use std::collections::HashSet;

use domain::{
    delivery::Channel,
    id::{BroadcastId, EventId},
    notification::{NOTIFICATION_EVENT_TYPE, Notification},
};
use entity::broadcast::insert::BroadcastRow;
use uuid::Uuid;

use super::Event;

/// Something to tell to every recipient of some channels.
#[derive(Clone, Debug)]
pub struct NewNotification {
    /// The message.
    pub notification: Notification,
    /// On which channels, each once, with how many recipients there are.
    pub audience: Vec<Audience>,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

/// The recipients of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The channel.
    pub channel: Channel,
    /// How many there are.
    pub total: i64,
}

/// What became of a notification: all of it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Its event.
    pub event_id: EventId,
    /// The channels that it goes out on now. Fewer than were asked for when its notice went out there before.
    pub audience: Vec<Audience>,
}

/// A notification as the committer writes it.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) event: Event,
    pub(super) broadcasts: Vec<BroadcastRow>,
}

impl From<NewNotification> for Outgoing {
    fn from(NewNotification { notification, audience, request_id }: NewNotification) -> Self {
        let event = event_of(&notification, request_id);
        let broadcast = |of: Audience| BroadcastRow {
            id: BroadcastId::new(),
            event_id: event.id,
            channel: of.channel,
            notice_id: notification.notice_id,
            total: of.total,
            leased: false,
        };
        let broadcasts = audience.into_iter().map(broadcast).collect();
        Self { event, broadcasts }
    }
}

/// The event of a notification, the same for every recipient.
pub(super) fn event_of(notification: &Notification, request_id: Option<String>) -> Event {
    Event {
        id: EventId::new(),
        user_id: None,
        event_type: NOTIFICATION_EVENT_TYPE.to_owned(),
        data: notification.to_data(),
        key: None,
        deliver_at: None,
        endpoint_ids: None,
        must_be_known: false,
        request_id,
    }
}

/// The broadcasts of a batch.
#[derive(Default)]
pub(super) struct Notifications {
    wanted: Vec<BroadcastRow>,
    taken: HashSet<Uuid>,
}

impl Notifications {
    /// Whether nothing is broadcast.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    pub(super) fn want(&mut self, broadcasts: impl IntoIterator<Item = BroadcastRow>) {
        self.wanted.extend(broadcasts);
    }

    /// What is to be inserted, in the order that every process keeps.
    pub(super) fn sorted(&mut self) -> &[BroadcastRow] {
        self.wanted.sort_by_key(|row| (row.notice_id, row.channel.as_str()));
        &self.wanted
    }

    /// Notes which were inserted; returns the events that have none left and are not written.
    pub(super) fn took(&mut self, taken: Vec<Uuid>) -> HashSet<EventId> {
        self.taken = taken.into_iter().collect();
        let going_out: HashSet<EventId> = self.going_out().map(|row| row.event_id).collect();
        self.wanted.iter().map(|row| row.event_id).filter(|id| !going_out.contains(id)).collect()
    }

    /// The broadcasts that were inserted.
    pub(super) fn going_out(&self) -> impl Iterator<Item = &BroadcastRow> {
        self.wanted.iter().filter(|row| self.taken.contains(&row.id.0))
    }

    /// Returns the outcome of the notification with this event.
    pub(super) fn outcome(&self, event_id: EventId) -> Announced {
        let of_it = self.going_out().filter(|row| row.event_id == event_id);
        let audience = of_it.map(|row| Audience { channel: row.channel, total: row.total }).collect();
        Announced { event_id, audience }
    }
}

#[cfg(test)]
mod tests {
    use domain::id::NoticeId;

    use super::*;

    const BOTH: [Audience; 2] =
        [Audience { channel: Channel::WebPush, total: 3 }, Audience { channel: Channel::Telegram, total: 2 }];

    fn outgoing(notice_id: Option<NoticeId>) -> Outgoing {
        let notification = Notification { title: None, message: "m".into(), url: None, notice_id };
        NewNotification { notification, audience: BOTH.to_vec(), request_id: None }.into()
    }

    #[test]
    fn broadcasts_are_asked_for_in_one_order_whoever_asks() {
        let (one, other) = (NoticeId::new(), NoticeId::new());
        let mut notifications = Notifications::default();
        for notice in [other, one] {
            notifications.want(outgoing(Some(notice)).broadcasts);
        }
        let order: Vec<_> = notifications.sorted().iter().map(|row| (row.notice_id, row.channel)).collect();
        let of = |notice| [Channel::Telegram, Channel::WebPush].map(|channel| (Some(notice), channel));
        assert_eq!(order, [of(one), of(other)].concat());
    }

    #[test]
    fn a_channel_that_was_taken_before_is_not_told_and_an_event_without_any_is_dropped() {
        let (partly, wholly, late) = (outgoing(None), outgoing(None), outgoing(None));
        let mut notifications = Notifications::default();
        [&partly, &wholly, &late].iter().for_each(|one| notifications.want(one.broadcasts.clone()));
        let ids = |of: &Outgoing| of.broadcasts.iter().map(|row| row.id.0).collect::<Vec<_>>();
        let lost = notifications.took([&ids(&partly)[1..], &ids(&wholly)].concat());
        assert_eq!(lost, HashSet::from([late.event.id]));
        assert_eq!(notifications.outcome(partly.event.id).audience, BOTH[1..]);
        assert_eq!(notifications.outcome(wholly.event.id).audience, BOTH);
        assert_eq!(notifications.outcome(late.event.id).audience, []);
        assert_eq!(notifications.going_out().count(), 3);
    }
}
