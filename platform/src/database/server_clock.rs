//! An estimate of the database server's clock from the last statement that returned it. Saves a statement where a lease is
//! only checked.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use domain::clock::Millis;

/// The last time that the server returned. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerClock {
    seen: Arc<Mutex<Option<(Millis, Instant)>>>,
}

impl ServerClock {
    /// Stores `now`, which the server read at some moment after `asked_at`. It counts as read at `asked_at`, so the estimate
    /// never lags the server and no lease is trusted for too long.
    pub(super) fn observe(&self, now: Millis, asked_at: Instant) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, asked_at));
    }

    /// Returns the estimated server time; none before the first observation.
    pub(super) fn now(&self) -> Option<Millis> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.map(|(now, asked_at)| now + asked_at.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_estimate_continues_from_the_last_observation() {
        let clock = ServerClock::default();
        assert_eq!(clock.now(), None);
        let asked_at = Instant::now() - Duration::from_secs(3);
        clock.observe(Millis(1_000), asked_at);
        let now = clock.now().expect("a time");
        assert!((4_000..6_000).contains(&now.0), "{now:?}");
    }
}
