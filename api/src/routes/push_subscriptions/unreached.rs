//! The number of subscriptions that no message has reached yet, counted at times and added to in between.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long a count of the database holds. The bound may be exceeded by what several processes accept meanwhile.
const COUNTED_FOR: Duration = Duration::from_secs(10);

/// The subscriptions that no message has reached, as last counted, and those that were made since.
#[derive(Default)]
pub(crate) struct Unreached {
    counted: Mutex<Option<(Instant, u64)>>,
}

impl Unreached {
    /// Returns the number, or none when it has to be counted again.
    pub(super) fn known(&self) -> Option<u64> {
        self.counted().filter(|(at, _)| at.elapsed() < COUNTED_FOR).map(|(_, count)| count)
    }

    /// Stores a count of the database.
    pub(super) fn set(&self, count: u64) {
        *self.counted() = Some((Instant::now(), count));
    }

    /// Adds a new subscription to the last count.
    pub(super) fn add_one(&self) {
        if let Some((_, count)) = self.counted().as_mut() {
            *count += 1;
        }
    }

    fn counted(&self) -> MutexGuard<'_, Option<(Instant, u64)>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
