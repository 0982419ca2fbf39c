//! Limits concurrent name lookups. Names that have never resolved may use only some of them, so that names whose servers don't
//! answer leave room for the others.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Most concurrent lookups, each on a thread.
const MAX_LOOKUPS: usize = 128;
/// Most concurrent lookups of names that have not resolved before.
const MAX_UNPROVEN_LOOKUPS: usize = 96;
/// Longest wait for a permit, well within every deadline of a send.
const MAX_WAIT: Duration = Duration::from_millis(500);
/// Most names remembered as resolved; beyond it all are forgotten.
const MAX_RESOLVED_NAMES: usize = 16_384;

/// Hands out permits for lookups.
pub(super) struct LookupLimit {
    all: Arc<Semaphore>,
    unproven: Arc<Semaphore>,
    resolved: Mutex<HashSet<Box<str>>>,
    wait: Duration,
}

/// Permission for one lookup; returned on drop.
pub(super) struct LookupPermit {
    _all: OwnedSemaphorePermit,
    _unproven: Option<OwnedSemaphorePermit>,
}

impl Default for LookupLimit {
    fn default() -> Self {
        Self::new(MAX_LOOKUPS, MAX_UNPROVEN_LOOKUPS, MAX_WAIT)
    }
}

impl LookupLimit {
    fn new(all: usize, unproven: usize, wait: Duration) -> Self {
        let (all, unproven) = (Arc::new(Semaphore::new(all)), Arc::new(Semaphore::new(unproven)));
        Self { all, unproven, resolved: Mutex::default(), wait }
    }

    /// Waits for a permit to look up `name`; none when that takes too long.
    pub(super) async fn acquire(&self, name: &str) -> Option<LookupPermit> {
        let unproven = (!self.resolved().contains(name)).then(|| self.unproven.clone());
        let permit = async {
            let unproven = match unproven {
                Some(unproven) => Some(unproven.acquire_owned().await.ok()?),
                None => None,
            };
            Some(LookupPermit { _all: self.all.clone().acquire_owned().await.ok()?, _unproven: unproven })
        };
        timeout(self.wait, permit).await.ok().flatten()
    }

    /// Records that `name` has resolved.
    pub(super) fn remember(&self, name: &str) {
        let mut resolved = self.resolved();
        if resolved.len() >= MAX_RESOLVED_NAMES {
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
        let limit = LookupLimit::new(2, 1, Duration::from_millis(20));
        limit.remember("known.example");
        let unknown = limit.acquire("a.example").await;
        assert!(unknown.is_some());
        assert!(limit.acquire("b.example").await.is_none(), "the wait has an end");
        let known = limit.acquire("known.example").await;
        assert!(known.is_some());
        assert!(limit.acquire("known.example").await.is_none(), "now all are taken");
        drop(unknown);
        assert!(limit.acquire("b.example").await.is_some());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let limit = LookupLimit::default();
        for n in 0..=MAX_RESOLVED_NAMES {
            limit.remember(&n.to_string());
        }
        assert!(limit.resolved().len() <= MAX_RESOLVED_NAMES);
    }
}
