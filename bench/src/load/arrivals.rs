//! When each event arrived, by `webhook-id`. Bounded, and split so that connections do not wait for each other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use http::HeaderMap;
use uuid::Uuid;

const PARTS: usize = 64;
/// Events kept in each part: four million in all, more than any run publishes.
const MOST_IN_A_PART: usize = 65_536;

/// Times of first arrivals. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Arrivals {
    parts: Arc<[Part; PARTS]>,
}

type Part = Mutex<HashMap<Uuid, Instant>>;

impl Arrivals {
    /// Nothing has arrived.
    pub(crate) fn new() -> Self {
        Self { parts: Arc::new(std::array::from_fn(|_| Part::default())) }
    }

    /// Notes the call that has these headers.
    pub(crate) fn note(&self, headers: &HeaderMap) {
        let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()?.parse().ok());
        let Some(id) = id else { return };
        let mut part = self.part(id).lock().expect("nobody panics with it");
        if part.len() < MOST_IN_A_PART {
            part.entry(id).or_insert_with(Instant::now);
        }
    }

    /// When an event arrived first.
    pub(crate) fn of(&self, event: Uuid) -> Option<Instant> {
        self.part(event).lock().expect("nobody panics with it").get(&event).copied()
    }

    fn part(&self, id: Uuid) -> &Part {
        // The last bits of a UUIDv7 are random.
        &self.parts[usize::from(id.as_bytes()[15]) % PARTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_arrival_counts() {
        let (arrivals, id) = (Arrivals::new(), Uuid::now_v7());
        let headers = HeaderMap::from_iter([(
            http::HeaderName::from_static("webhook-id"),
            id.to_string().parse().expect("a value"),
        )]);
        assert_eq!(arrivals.of(id), None);
        arrivals.note(&headers);
        let first = arrivals.of(id);
        arrivals.note(&headers);
        assert!(first.is_some());
        assert_eq!(arrivals.of(id), first);
    }
}
