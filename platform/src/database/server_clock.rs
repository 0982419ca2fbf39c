//! The database server's clock as this process last saw it. Leases are compared with it where a statement would cost more
//! than the answer is worth.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use domain::clock::Millis;

/// The last time that the server told. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerClock {
    seen: Arc<Mutex<Option<(Millis, Instant)>>>,
}

impl ServerClock {
    /// `now` is what the server's clock showed at some moment after `asked_at`: taken as if it had been then, so that the
    /// estimate is never behind the server and no lease is trusted for too long.
    pub(super) fn observe(&self, now: Millis, asked_at: Instant) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, asked_at));
    }

    /// The server's time now; none before the first look.
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
    fn the_estimate_goes_on_from_the_last_look() {
        let clock = ServerClock::default();
        assert_eq!(clock.now(), None);
        let asked_at = Instant::now() - Duration::from_secs(3);
        clock.observe(Millis(1_000), asked_at);
        let now = clock.now().expect("a time");
        assert!((4_000..6_000).contains(&now.0), "{now:?}");
    }
}
