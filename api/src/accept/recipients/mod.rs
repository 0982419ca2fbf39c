//! Who gets an event: the endpoints of its user that are registered for its type, or exactly those that it names.
//! A statement for the whole batch each; deleted endpoints get nothing, paused and disabled ones hold what they get.

mod remembered;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use domain::{
    endpoint::CustomPayload,
    id::{EndpointId, UserId},
};
use entity::{
    endpoint::recipients::{self, Key, Named, RecipientRow},
    event::publish::Confirmation,
};
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
};

pub(super) use self::remembered::Remembered;
use super::{Event, Published};

/// An endpoint that gets an event.
#[derive(Clone, Debug)]
pub(super) struct Recipient {
    pub(super) endpoint_id: EndpointId,
    pub(super) user_id: UserId,
    pub(super) custom_payload: Option<CustomPayload>,
    /// Whether its delivery may be handed over: the lane is active, has no backlog, no limit of its own, and its breaker is
    /// closed.
    pub(super) clear: bool,
    /// Changes with the rest of this; always 0 where nothing is confirmed by it.
    mark: i64,
}

/// The recipients of a batch's events.
#[derive(Default)]
pub(super) struct Recipients {
    registered: HashMap<Key, Arc<Vec<Recipient>>>,
    named: HashMap<Named, Recipient>,
    /// Types that exist, of those without a registered endpoint.
    known: HashSet<String>,
    /// What must hold still when these were remembered.
    confirmation: Option<Confirmation>,
}

impl Recipients {
    /// What must hold still when they are written for; none when they were just asked for.
    pub(super) const fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }

    /// The recipients of `event`, or why it is refused.
    pub(super) fn of(&self, event: &Event) -> Result<Vec<&Recipient>, Published> {
        let registered = self.registered.get(&key(event));
        if event.must_be_known && registered.is_none() && !self.known.contains(&event.event_type) {
            return Err(Published::UnknownType);
        }
        match (&event.endpoint_ids, event.user_id) {
            (Some(ids), Some(user_id)) => self.named(user_id, ids),
            _ => Ok(registered.into_iter().flat_map(|recipients| recipients.iter()).collect()),
        }
    }

    fn named(&self, user_id: UserId, ids: &[EndpointId]) -> Result<Vec<&Recipient>, Published> {
        let found = ids.iter().map(|id| self.named.get(&(user_id.0, id.0)));
        let missing: Vec<usize> =
            found.clone().enumerate().filter(|(_, found)| found.is_none()).map(|(place, _)| place).collect();
        if missing.is_empty() {
            Ok(found.flatten().collect())
        } else {
            Err(Published::NotRecipients(missing))
        }
    }
}

/// Finds the recipients of these events.
pub(super) async fn of(context: &Context, events: &[&Event]) -> Result<Recipients, DatabaseError> {
    within_deadline(find(context, events)).await
}

async fn find(context: &Context, events: &[&Event]) -> Result<Recipients, DatabaseError> {
    let (database, clock) = (&context.database, &context.clock);
    let mut found = Recipients::default();
    let mut by_key: HashMap<Key, Vec<Recipient>> = HashMap::new();
    let keys = distinct(events.iter().map(|event| key(event)));
    for row in recipients::registered(database, clock, &keys).await? {
        by_key.entry((row.asked_user, row.name)).or_default().push(row.recipient.into());
    }
    found.registered = by_key.into_iter().map(|(key, recipients)| (key, Arc::new(recipients))).collect();
    let endpoints = distinct(events.iter().flat_map(|event| named_by(event)));
    for row in recipients::named(database, clock, &endpoints).await? {
        found.named.insert((row.user_id, row.id), row.into());
    }
    let unseen =
        events.iter().filter(|event| event.must_be_known && !found.registered.contains_key(&key(event)));
    let unseen = distinct(unseen.map(|event| event.event_type.clone()));
    found.known = recipients::known_types(database, &unseen).await?.into_iter().collect();
    Ok(found)
}

/// Sorted, each once.
fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}

fn key(event: &Event) -> Key {
    (event.user_id.map(|user| user.0), event.event_type.clone())
}

fn named_by(event: &Event) -> impl Iterator<Item = Named> {
    let ids = event.endpoint_ids.iter().flatten();
    event.user_id.into_iter().flat_map(move |user| ids.clone().map(move |id| (user.0, id.0)))
}

impl From<RecipientRow> for Recipient {
    fn from(row: RecipientRow) -> Self {
        Self {
            endpoint_id: row.id.into(),
            user_id: UserId(row.user_id),
            custom_payload: row.custom_payload.as_deref().and_then(payload),
            clear: row.clear,
            mark: row.mark,
        }
    }
}

/// A stored payload was checked when it came in; one that can't be read any more changes nothing.
fn payload(stored: &str) -> Option<CustomPayload> {
    CustomPayload::parse(&serde_json::from_str(stored).ok()?).ok()
}
