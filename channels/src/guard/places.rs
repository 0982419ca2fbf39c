//! How many names are resolved at once. Names that never resolved can't use up all places: a crowd of names whose servers
//! do not answer leaves room for those that do.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Lookups under way at once, each on a thread.
const PLACES: usize = 128;
/// Of these, the most for names that have not resolved before.
const UNPROVEN_PLACES: usize = 96;
/// Longest wait for a place, well within every deadline of a send.
const WAIT: Duration = Duration::from_millis(500);
/// Most names that are known to have resolved; beyond them all are forgotten.
const REMEMBERED: usize = 16_384;

/// The places of one pool.
pub(super) struct Places {
    all: Arc<Semaphore>,
    unproven: Arc<Semaphore>,
    resolved: Mutex<HashSet<Box<str>>>,
    wait: Duration,
}

/// Returned on drop.
pub(super) struct Place {
    _all: OwnedSemaphorePermit,
    _unproven: Option<OwnedSemaphorePermit>,
}

impl Default for Places {
    fn default() -> Self {
        Self::new(PLACES, UNPROVEN_PLACES, WAIT)
    }
}

impl Places {
    fn new(all: usize, unproven: usize, wait: Duration) -> Self {
        let (all, unproven) = (Arc::new(Semaphore::new(all)), Arc::new(Semaphore::new(unproven)));
        Self { all, unproven, resolved: Mutex::default(), wait }
    }

    /// A place for `name`, or none when it takes too long.
    pub(super) async fn take(&self, name: &str) -> Option<Place> {
        let unproven = (!self.resolved().contains(name)).then(|| self.unproven.clone());
        let place = async {
            let unproven = match unproven {
                Some(unproven) => Some(unproven.acquire_owned().await.ok()?),
                None => None,
            };
            Some(Place { _all: self.all.clone().acquire_owned().await.ok()?, _unproven: unproven })
        };
        timeout(self.wait, place).await.ok().flatten()
    }

    /// Notes that `name` has resolved.
    pub(super) fn remember(&self, name: &str) {
        let mut resolved = self.resolved();
        if resolved.len() >= REMEMBERED {
            resolved.clear();
        }
        resolved.insert(name.into());
    }

    fn resolved(&self) -> MutexGuard<'_, HashSet<Box<str>>> {
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_that_never_resolved_leave_places_for_those_that_did() {
        let places = Places::new(2, 1, Duration::from_millis(20));
        places.remember("known.example");
        let unknown = places.take("a.example").await;
        assert!(unknown.is_some());
        assert!(places.take("b.example").await.is_none(), "the wait has an end");
        let known = places.take("known.example").await;
        assert!(known.is_some());
        assert!(places.take("known.example").await.is_none(), "now all are taken");
        drop(unknown);
        assert!(places.take("b.example").await.is_some());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let places = Places::default();
        for n in 0..=REMEMBERED {
            places.remember(&n.to_string());
        }
        assert!(places.resolved().len() <= REMEMBERED);
    }
}
