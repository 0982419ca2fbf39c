//! From what was accepted to the rows that are written: pure, but for fresh ids.

use std::collections::HashSet;

use domain::{
    clock::Millis,
    delivery::Channel,
    endpoint::overlay,
    id::{DeliveryId, EventId},
    job::{LEASE, QueueName},
};
use entity::{
    broadcast::insert::BroadcastRow, delivery::insert::DeliveryRow, event::insert::EventRow, stamp::Stamp,
    upload::insert::UploadRow,
};
use platform::context::Context;

use super::{
    Event, Incoming, NewUpload, Outcome, Outgoing, Published, Work,
    chunks::DELIVERY_BYTES,
    handover::OpenQueues,
    keys::{FullKey, Keys, full},
    messages::Messages,
    notifications::Notifications,
    recipients::{Recipient, Recipients},
    single_recipient::Personal,
};

/// The rows of one transaction.
pub(super) struct Rows {
    pub(super) uploads: Vec<UploadRow>,
    pub(super) events: Vec<EventRow>,
    pub(super) deliveries: Vec<DeliveryRow>,
    pub(super) keys: Keys,
    pub(super) messages: Messages,
    pub(super) notifications: Notifications,
    pub(super) stamp: Stamp,
    pub(super) request_id: Option<String>,
    /// What becomes of each entry, in order, as far as its key lets it.
    plans: Vec<Plan>,
}

enum Plan {
    Upload,
    /// Its outcome, unless its key says otherwise.
    Event(Published, Option<(FullKey, [u8; 32])>),
    /// Whose message was to become this event.
    Message(EventId),
    /// Whose notification has this event.
    Notification(EventId),
    Personal,
}

impl Rows {
    pub(super) fn of<'w>(
        works: impl Iterator<Item = &'w Work>,
        recipients: &Recipients,
        open: OpenQueues,
        context: &Context,
    ) -> Self {
        let mut rows = Self::empty(context);
        let now = context.clock.now();
        for work in works {
            let plan = match work {
                Work::Upload(upload) => rows.add_upload(upload, open),
                Work::Event(event) => rows.plan_event(event, recipients.of(event), open, now),
                Work::Message(message) => rows.plan_message(message, recipients, open, now),
                Work::Notification(notification) => rows.plan_notification(notification, open, now),
                Work::Personal(personal) => rows.plan_personal(personal, open, now),
            };
            rows.plans.push(plan);
        }
        rows
    }

    fn empty(context: &Context) -> Self {
        let now_or_offset = context.database.statement_time(&context.clock);
        let stamp = Stamp { now_or_offset, lease: domain::clock::millis(LEASE) };
        Self {
            uploads: vec![],
            events: vec![],
            deliveries: vec![],
            keys: Keys::default(),
            messages: Messages::default(),
            notifications: Notifications::default(),
            plans: vec![],
            stamp,
            request_id: None,
        }
    }

    fn add_upload(&mut self, upload: &NewUpload, open: OpenQueues) -> Plan {
        self.request_id.clone_from(&upload.request_id);
        self.uploads.push(UploadRow {
            id: upload.id,
            endpoint_id: upload.endpoint_id,
            user_id: upload.user_id,
            file_name: upload.file_name.clone(),
            storage_key: upload.storage_key.clone(),
            size_bytes: i64::try_from(upload.size_bytes).unwrap_or(i64::MAX),
            leased: open.contain(QueueName::Uploads),
        });
        Plan::Upload
    }

    fn plan_event(
        &mut self,
        event: &Event,
        recipients: Result<Vec<&Recipient>, Published>,
        open: OpenQueues,
        now: Millis,
    ) -> Plan {
        let key = event.user_id.zip(event.key.as_ref()).map(|(user, key)| (full(user, key), key.body_hash));
        let outcome = match recipients {
            Ok(recipients) => {
                let deliveries = recipients.len();
                if self.is_first(event, key.as_ref(), deliveries) {
                    self.add_event(event, &recipients, open, now);
                }
                Published::Stored { id: event.id, deliveries }
            }
            Err(refused) => {
                key.iter().for_each(|(key, _)| self.keys.ask(key.clone()));
                refused
            }
        };
        Plan::Event(outcome, key)
    }

    fn plan_message(
        &mut self,
        Incoming { row, event }: &Incoming,
        recipients: &Recipients,
        open: OpenQueues,
        now: Millis,
    ) -> Plan {
        if self.messages.want(row) {
            // Its type need not exist and it names no endpoints, so nothing refuses it.
            let recipients = recipients.of(event).unwrap_or_default();
            self.add_event(event, &recipients, open, now);
        }
        Plan::Message(event.id)
    }

    /// Its deliveries are made page by page, by workers.
    fn plan_notification(&mut self, outgoing: &Outgoing, open: OpenQueues, now: Millis) -> Plan {
        let leased = open.contain(QueueName::Broadcasts);
        let broadcasts = outgoing.broadcasts.iter().map(|row| BroadcastRow { leased, ..row.clone() });
        self.notifications.want(broadcasts);
        self.add_event(&outgoing.event, &[], open, now);
        Plan::Notification(outgoing.event.id)
    }

    fn plan_personal(
        &mut self,
        Personal { event, delivery }: &Personal,
        open: OpenQueues,
        now: Millis,
    ) -> Plan {
        self.add_event(event, &[], open, now);
        self.deliveries.push(delivery.clone());
        Plan::Personal
    }

    /// Whether its rows are to be written: of the entries with one key only the first one's are.
    fn is_first(&mut self, event: &Event, key: Option<&(FullKey, [u8; 32])>, deliveries: usize) -> bool {
        if key.is_some_and(|(key, _)| self.keys.is_wanted(key)) {
            return false;
        }
        if let (Some(user), Some(key)) = (event.user_id, &event.key) {
            self.keys.want(user, key, event.id, deliveries);
        }
        true
    }

    fn add_event(&mut self, event: &Event, recipients: &[&Recipient], open: OpenQueues, now: Millis) {
        self.request_id.clone_from(&event.request_id);
        let body = render(event, now);
        for recipient in recipients {
            self.deliveries.push(DeliveryRow {
                id: DeliveryId::new(),
                event_id: event.id,
                user_id: Some(recipient.user_id),
                lane_id: recipient.endpoint_id.into(),
                channel: Channel::Webhook,
                recipient_id: recipient.endpoint_id.into(),
                body: recipient.custom_payload.as_ref().and_then(|payload| overlay(&body, payload).ok()),
                due_at: event.deliver_at,
                // Whether a time has come is for the database's clock to say.
                leased: event.deliver_at.is_none() && recipient.clear && open.contain(QueueName::Deliveries),
            });
        }
        self.events.push(EventRow {
            id: event.id,
            user_id: event.user_id,
            event_type: event.event_type.clone(),
            body,
            addressed: event.endpoint_ids.is_some(),
        });
    }

    /// Whether there is nothing but events and deliveries to write.
    pub(super) fn are_plain(&self) -> bool {
        let nothing_is_taken =
            self.keys.is_empty() && self.messages.is_empty() && self.notifications.is_empty();
        self.uploads.is_empty() && nothing_is_taken
    }

    /// Removes what is not written after all: its key or its message's id is taken, or its notice was announced before.
    pub(super) fn drop_events(&mut self, lost: &HashSet<EventId>) {
        if !lost.is_empty() {
            self.events.retain(|row| !lost.contains(&row.id));
            self.deliveries.retain(|row| !lost.contains(&row.event_id));
        }
    }

    /// Returns the outcome of each entry after the commit, in order; none when not even its key's row exists.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = Option<Outcome>> {
        self.plans.iter().map(|plan| match plan {
            Plan::Upload => Some(Outcome::Upload),
            Plan::Event(outcome, None) => Some(Outcome::Event(outcome.clone())),
            Plan::Event(outcome, Some((key, hash))) => {
                self.keys.outcome(key, hash, outcome.clone()).map(Outcome::Event)
            }
            Plan::Message(event_id) => Some(Outcome::Message(self.messages.outcome(*event_id))),
            Plan::Notification(event_id) => {
                Some(Outcome::Notification(self.notifications.outcome(*event_id)))
            }
            Plan::Personal => Some(Outcome::Personal),
        })
    }
}

/// What an entry weighs in a transaction, in bytes: its bodies, and something for each row and each delivery.
pub(super) fn weight(work: &Work, recipients: &Recipients) -> usize {
    const ROW: usize = 512;
    if let Work::Notification(outgoing) = work {
        return outgoing.event.data.get().len() + ROW * (1 + outgoing.broadcasts.len());
    }
    if let Work::Personal(Personal { event, .. }) = work {
        return event.data.get().len() + 2 * ROW;
    }
    let Some(event) = work.event() else { return ROW };
    let Ok(recipients) = recipients.of(event) else { return ROW };
    let own_bodies = recipients.iter().filter(|recipient| recipient.custom_payload.is_some()).count();
    // A message's text is written twice more, once of them folded.
    let others = if matches!(work, Work::Message(_)) { 2 } else { 0 };
    (event.data.get().len() + ROW) * (1 + own_bodies + others) + DELIVERY_BYTES * recipients.len()
}

/// The body that is signed and sent: `data` byte for byte as it came.
fn render(event: &Event, now: Millis) -> Vec<u8> {
    let event_type = serde_json::Value::from(event.event_type.as_str());
    format!(r#"{{"type":{event_type},"timestamp":"{now}","data":{}}}"#, event.data.get()).into_bytes()
}
