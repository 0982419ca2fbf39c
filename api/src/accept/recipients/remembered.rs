//! Recipients of earlier events, used again without asking for them. They may be out of date: the statement that inserts
//! events for them goes on only while they are still the recipients (Postgres).

use std::{collections::HashMap, sync::Arc, time::Duration};

use entity::{endpoint::recipients::Key, event::publish::Confirmation};
use moka::sync::Cache;

use super::{Event, Recipient, Recipients, distinct, key};

/// Most recipients that are remembered; those of one key count together.
const CAPACITY: u64 = 50_000;
/// How long they are remembered.
const KEPT: Duration = Duration::from_secs(10);

/// Who was registered for what.
pub(in crate::accept) struct Remembered {
    recipients: Cache<Key, Arc<Vec<Recipient>>>,
}

impl Remembered {
    pub(in crate::accept) fn new() -> Self {
        let weigh = |_: &Key, found: &Arc<Vec<Recipient>>| u32::try_from(found.len()).unwrap_or(u32::MAX);
        let recipients = Cache::builder().max_capacity(CAPACITY).weigher(weigh).time_to_live(KEPT).build();
        Self { recipients }
    }

    /// The recipients of all these events, to be confirmed; none when those of one are not known.
    pub(in crate::accept) fn of(&self, events: &[&Event]) -> Option<Recipients> {
        if events.is_empty() || events.iter().any(|event| event.endpoint_ids.is_some()) {
            return None;
        }
        let keys = distinct(events.iter().map(|event| key(event)));
        let found: Option<HashMap<Key, Arc<Vec<Recipient>>>> =
            keys.into_iter().map(|key| Some((key.clone(), self.recipients.get(&key)?))).collect();
        let registered = found?;
        let confirmation = Some(confirmation(&registered));
        Some(Recipients { registered, confirmation, ..Recipients::default() })
    }

    /// Remembers the recipients of these events as they were found. Types without a registration are not remembered.
    pub(in crate::accept) fn keep(&self, events: &[&Event], found: &Recipients) {
        for key in distinct(events.iter().map(|event| key(event))) {
            match found.registered.get(&key) {
                Some(recipients) => self.recipients.insert(key, Arc::clone(recipients)),
                None => self.recipients.invalidate(&key),
            }
        }
    }
}

fn confirmation(registered: &HashMap<Key, Arc<Vec<Recipient>>>) -> Confirmation {
    let (users, names) = registered.keys().cloned().unzip();
    let recipients = || registered.values().flat_map(|recipients| recipients.iter());
    Confirmation {
        users,
        names,
        count: i64::try_from(recipients().count()).unwrap_or(i64::MAX),
        marks: recipients().fold(0, |marks, recipient| marks ^ recipient.mark),
    }
}
