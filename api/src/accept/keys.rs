//! Idempotency keys of a batch: which entry takes which key, and the outcome of entries whose key is taken.

use std::collections::{HashMap, HashSet};

use domain::id::{EventId, UserId};
use entity::idempotency_key::queries::{KeptKey, KeyRow};
use uuid::Uuid;

use super::{Key, Published};

/// A key with whose it is, as the database compares them.
pub(super) type FullKey = (i64, String);

/// The keys that a batch wants, each once, however many entries name it.
#[derive(Default)]
pub(super) struct Keys {
    wanted: HashMap<FullKey, KeyRow>,
    /// Keys of entries that are refused for another reason: an earlier copy may have used them while the entry was valid.
    only_asked: HashSet<FullKey>,
    taken: HashSet<Uuid>,
    kept: HashMap<FullKey, KeptKey>,
}

pub(super) fn full(user_id: UserId, key: &Key) -> FullKey {
    (user_id.0, key.key.as_str().to_owned())
}

impl Keys {
    /// Whether an entry of this batch wants the key already.
    pub(super) fn is_wanted(&self, key: &FullKey) -> bool {
        self.wanted.contains_key(key)
    }

    /// The first good entry with this key wants it for its event.
    pub(super) fn want(&mut self, user_id: UserId, key: &Key, event_id: EventId, deliveries: usize) {
        let deliveries = i32::try_from(deliveries).unwrap_or(i32::MAX);
        let full = full(user_id, key);
        let row = KeyRow { user_id, key: full.1.clone(), body_hash: key.body_hash, event_id, deliveries };
        self.only_asked.remove(&full);
        self.wanted.insert(full, row);
    }

    /// An entry that is refused has this key.
    pub(super) fn ask(&mut self, key: FullKey) {
        if !self.wanted.contains_key(&key) {
            self.only_asked.insert(key);
        }
    }

    /// Whether no entry has a key.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.only_asked.is_empty()
    }

    /// What is to be inserted, in the order that every process keeps.
    pub(super) fn to_take(&self) -> Vec<KeyRow> {
        let mut rows: Vec<KeyRow> = self.wanted.values().cloned().collect();
        rows.sort_unstable_by(|a, b| (a.user_id, &a.key).cmp(&(b.user_id, &b.key)));
        rows
    }

    /// Notes who got theirs; returns the keys to look up, and the events that are not written after all.
    pub(super) fn took(&mut self, taken: Vec<Uuid>) -> (Vec<FullKey>, HashSet<EventId>) {
        self.taken = taken.into_iter().collect();
        let lost = || self.wanted.iter().filter(|(_, row)| !self.taken.contains(&row.event_id.0));
        let asked = lost().map(|(key, _)| key).chain(&self.only_asked).cloned().collect();
        (asked, lost().map(|(_, row)| row.event_id).collect())
    }

    /// Notes what stands under the keys that were looked up.
    pub(super) fn found(&mut self, kept: Vec<KeptKey>) {
        for row in kept {
            let key = (row.user_id, row.key.clone());
            // A row that refused ours was live then, whatever it is by now.
            if row.is_live || self.wanted.contains_key(&key) {
                self.kept.insert(key, row);
            }
        }
    }

    /// Returns the outcome of an entry with a key. `outcome` is the one without a key.
    pub(super) fn outcome(&self, key: &FullKey, hash: &[u8; 32], outcome: Published) -> Option<Published> {
        if let Published::Stored { id, .. } = outcome
            && self.taken.contains(&id.0)
        {
            return Some(outcome);
        }
        let Some((stands_for, id, deliveries)) = self.standing(key) else {
            return (!matches!(outcome, Published::Stored { .. })).then_some(outcome);
        };
        if stands_for != hash {
            return Some(Published::KeyTaken);
        }
        let deliveries = usize::try_from(deliveries).unwrap_or(0);
        Some(Published::Repeated { id: id.into(), deliveries })
    }

    fn standing(&self, key: &FullKey) -> Option<(&[u8], Uuid, i32)> {
        let ours = self.wanted.get(key).filter(|row| self.taken.contains(&row.event_id.0));
        ours.map(|row| (row.body_hash.as_slice(), row.event_id.0, row.deliveries)).or_else(|| {
            self.kept.get(key).map(|row| (row.body_hash.as_slice(), row.event_id, row.deliveries))
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::event::IdempotencyKey;

    use super::*;

    const USER: UserId = UserId(7);

    fn key(hash: u8) -> Key {
        Key { key: IdempotencyKey::parse("k").expect("a key"), body_hash: [hash; 32] }
    }

    fn kept(hash: u8, is_live: bool) -> KeptKey {
        let event_id = Uuid::nil();
        KeptKey { user_id: 7, key: "k".into(), body_hash: vec![hash; 32], event_id, deliveries: 3, is_live }
    }

    fn stored(id: EventId) -> Published {
        Published::Stored { id, deliveries: 1 }
    }

    #[test]
    fn the_first_entry_gets_the_key_and_the_others_its_event() {
        let (id, mut keys) = (EventId::new(), Keys::default());
        keys.want(USER, &key(1), id, 1);
        assert!(keys.is_wanted(&full(USER, &key(2))));
        assert_eq!(keys.took(vec![id.0]), (vec![], HashSet::new()));
        let outcome_of = |hash, outcome| keys.outcome(&full(USER, &key(hash)), &[hash; 32], outcome);
        assert_eq!(outcome_of(1, stored(id)), Some(stored(id)));
        assert_eq!(outcome_of(1, stored(EventId::new())), Some(Published::Repeated { id, deliveries: 1 }));
        assert_eq!(outcome_of(2, stored(EventId::new())), Some(Published::KeyTaken));
    }

    #[test]
    fn who_loses_the_race_is_told_what_won_it() {
        let (id, mut keys) = (EventId::new(), Keys::default());
        keys.want(USER, &key(1), id, 1);
        let (asked, lost) = keys.took(vec![]);
        assert_eq!((asked.len(), lost), (1, HashSet::from([id])));
        assert_eq!(keys.outcome(&asked[0], &[1; 32], stored(id)), None, "its outcome is not known yet");
        keys.found(vec![kept(1, false)]);
        let first = Published::Repeated { id: Uuid::nil().into(), deliveries: 3 };
        assert_eq!(keys.outcome(&asked[0], &[1; 32], stored(id)), Some(first));
        assert_eq!(keys.outcome(&asked[0], &[2; 32], stored(id)), Some(Published::KeyTaken));
    }

    #[test]
    fn a_repeat_that_would_be_refused_by_now_is_still_a_repeat_while_its_key_is_kept() {
        for (is_live, hash) in [(true, 1), (true, 2), (false, 1)] {
            let mut keys = Keys::default();
            keys.ask(full(USER, &key(1)));
            let (asked, _) = keys.took(vec![]);
            keys.found(vec![kept(hash, is_live)]);
            let outcome_of = keys.outcome(&asked[0], &[1; 32], Published::UnknownType);
            let expected = match (is_live, hash) {
                (false, _) => Published::UnknownType,
                (true, 1) => Published::Repeated { id: Uuid::nil().into(), deliveries: 3 },
                (true, _) => Published::KeyTaken,
            };
            assert_eq!(outcome_of, Some(expected));
        }
    }
}
