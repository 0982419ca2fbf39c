//! Signed messages of a batch: which of them are written, and the outcome of each. Of many copies of one id the
//! first is kept, with its event; the others leave no trace.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use domain::{
    id::EventId,
    message::{MESSAGE_EVENT_TYPE, Message, folded},
};
use entity::{message::insert::MessageRow, message_total::grow::Growth};
use serde_json::value::to_raw_value;
use uuid::Uuid;

use super::Event;

/// A message whose signature holds.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// What was sent.
    pub message: Message,
    /// The request that brought it.
    pub request_id: Option<String>,
}

/// What became of a message. Either way one of its copies is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingested {
    /// This one was the first with its id.
    Created,
    /// There was one with its id; that one stays as it is.
    Duplicate,
}

/// A message as the committer writes it, with the event that it becomes.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    pub(super) row: Arc<MessageRow>,
    pub(super) event: Event,
}

impl From<NewMessage> for Incoming {
    fn from(NewMessage { message, request_id }: NewMessage) -> Self {
        let event_id = EventId::new();
        let event = Event {
            id: event_id,
            user_id: None,
            event_type: MESSAGE_EVENT_TYPE.to_owned(),
            data: to_raw_value(&message.view()).expect("strings are JSON"),
            key: None,
            deliver_at: None,
            endpoint_ids: None,
            must_be_known: false,
            request_id,
        };
        let text = message.text.as_deref();
        let folded = text.map(|text| (text, folded(text))).filter(|(text, folded)| text != folded);
        let folded = folded.map(|(_, folded)| folded.into());
        Self { row: Arc::new(MessageRow { message: Arc::new(message), folded, event_id }), event }
    }
}

/// The messages of a batch, each id once.
#[derive(Default)]
pub(super) struct Messages {
    /// Sorted by id, the order that every process keeps.
    wanted: BTreeMap<String, Arc<MessageRow>>,
    created: HashSet<EventId>,
}

impl Messages {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Wants a row; whether it is the batch's first with its id.
    pub(super) fn want(&mut self, row: &Arc<MessageRow>) -> bool {
        let is_first = !self.wanted.contains_key(&row.message.message_id);
        if is_first {
            self.wanted.insert(row.message.message_id.clone(), Arc::clone(row));
        }
        is_first
    }

    /// What is to be inserted, in the order that every process keeps.
    pub(super) fn to_insert(&self) -> Vec<Arc<MessageRow>> {
        self.wanted.values().cloned().collect()
    }

    /// Notes which were inserted; returns the events that are not written after all.
    pub(super) fn inserted(&mut self, created: Vec<Uuid>) -> HashSet<EventId> {
        self.created = created.into_iter().map(EventId).collect();
        self.wanted.values().map(|row| row.event_id).filter(|id| !self.created.contains(id)).collect()
    }

    /// What the counts grow by; none when nothing is new.
    pub(super) fn growth(&self) -> Option<Growth<'_>> {
        Growth::of(self.wanted.values().map(AsRef::as_ref).filter(|row| self.created.contains(&row.event_id)))
    }

    /// Returns the outcome of the message that was to become this event.
    pub(super) fn outcome(&self, event_id: EventId) -> Ingested {
        if self.created.contains(&event_id) { Ingested::Created } else { Ingested::Duplicate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(id: &str, text: &str) -> Incoming {
        let body = format!(
            r#"{{"message_id":"{id}","from":"+1","to":"+2","ts":"2025-01-15T10:00:00Z","text":"{text}"}}"#
        );
        let message = Message::parse(body.as_bytes()).expect("valid");
        NewMessage { message, request_id: None }.into()
    }

    #[test]
    fn a_message_becomes_an_event_of_nobodys_with_the_message_as_its_data() {
        let Incoming { row, event } = incoming("m1", "Hello");
        assert_eq!(
            (event.id, event.user_id, event.event_type.as_str()),
            (row.event_id, None, "message.received")
        );
        let shown = r#"{"message_id":"m1","from":"+1","to":"+2","ts":"2025-01-15T10:00:00Z","text":"Hello"}"#;
        assert_eq!(event.data.get(), shown);
        assert_eq!(row.folded.as_deref(), Some("hello"));
        assert_eq!(incoming("m1", "hello").row.folded, None, "it is the text itself");
    }

    #[test]
    fn the_first_copy_of_a_batch_is_written_and_the_others_are_duplicates() {
        let (first, copy, other) = (incoming("b", "1"), incoming("b", "2"), incoming("a", "3"));
        let mut messages = Messages::default();
        assert_eq!([&first, &copy, &other].map(|one| messages.want(&one.row)), [true, false, true]);
        let ids: Vec<String> =
            messages.to_insert().iter().map(|row| row.message.message_id.clone()).collect();
        assert_eq!(ids, ["a", "b"], "sorted");
        assert!(messages.inserted(vec![first.event.id.0, other.event.id.0]).is_empty());
        let outcomes = [&first, &copy, &other].map(|one| messages.outcome(one.event.id));
        assert_eq!(outcomes, [Ingested::Created, Ingested::Duplicate, Ingested::Created]);
        assert_eq!(messages.growth().map(|growth| growth.by_sender), Some(BTreeMap::from([("+1", 2)])));
    }

    #[test]
    fn who_loses_to_another_process_leaves_no_event_and_no_count() {
        let (mine, copy) = (incoming("a", "1"), incoming("a", "2"));
        let mut messages = Messages::default();
        messages.want(&mine.row);
        messages.want(&copy.row);
        assert_eq!(messages.inserted(vec![]), HashSet::from([mine.event.id]));
        assert_eq!(messages.outcome(mine.event.id), Ingested::Duplicate);
        assert_eq!(messages.outcome(copy.event.id), Ingested::Duplicate);
        assert_eq!(messages.growth(), None);
    }
}
