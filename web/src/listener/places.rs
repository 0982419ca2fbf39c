//! Places for connections: many for everything, a waiting room where those are taken, and a few for probes. What is taken
//! in beyond the general places is bounded by ending the oldest, so a crowd never keeps a probe out.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Most connections that wait for a general place.
const WAITING: usize = 256;
/// Most probes that are answered while all general places are taken.
const PROBES: usize = 32;

pub(super) struct Places {
    general: Arc<Semaphore>,
    waiting: Bounded,
    probes: Bounded,
}

impl Places {
    pub(super) fn new(general: usize) -> Self {
        let general = Arc::new(Semaphore::new(general));
        Self { general, waiting: Bounded::new(WAITING), probes: Bounded::new(PROBES) }
    }

    /// A general place, if there is one.
    pub(super) fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        self.general.clone().try_acquire_owned().ok()
    }

    /// Waits for a general place.
    pub(super) async fn take(&self) -> OwnedSemaphorePermit {
        self.general.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Enters the waiting room. The token is cancelled when too many came later.
    pub(super) fn wait(&self) -> CancellationToken {
        self.waiting.enter()
    }

    /// A place for a probe. The token is cancelled when too many came later.
    pub(super) fn probe(&self) -> CancellationToken {
        self.probes.enter()
    }
}

/// The tokens of the latest entries; older ones are cancelled.
struct Bounded {
    latest: Mutex<VecDeque<CancellationToken>>,
    most: usize,
}

impl Bounded {
    fn new(most: usize) -> Self {
        Self { latest: Mutex::default(), most }
    }

    fn enter(&self) -> CancellationToken {
        let entered = CancellationToken::new();
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.push_back(entered.clone());
        while latest.len() > self.most {
            latest.pop_front().inspect(CancellationToken::cancel);
        }
        entered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_makes_room_for_the_newest() {
        let bounded = Bounded::new(2);
        let entries: Vec<_> = (0..3).map(|_| bounded.enter()).collect();
        let cancelled: Vec<bool> = entries.iter().map(CancellationToken::is_cancelled).collect();
        assert_eq!(cancelled, [true, false, false]);
    }
}
