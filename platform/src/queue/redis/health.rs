//! Tracks whether Redis answers, and which calls may probe it while it does not. Callers must never pile up behind a dead
//! server.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// While unhealthy, one call per interval goes through.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// The outcome of the last call, and the time of the next probe.
pub(super) struct Health {
    healthy: AtomicBool,
    since: Instant,
    next_probe_ms: AtomicU64,
}

impl Health {
    pub(super) fn new() -> Self {
        Self { healthy: AtomicBool::new(true), since: Instant::now(), next_probe_ms: AtomicU64::new(0) }
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// Whether a call may go through now: always when healthy, else once per interval.
    pub(super) fn admits(&self) -> bool {
        self.is_healthy() || self.takes_probe()
    }

    /// Records the outcome of a call; returns whether the health changed.
    pub(super) fn record(&self, success: bool) -> bool {
        if !success {
            self.next_probe_ms.store(self.now_ms() + millis(PROBE_EVERY), Ordering::Relaxed);
        }
        self.healthy.swap(success, Ordering::Relaxed) != success
    }

    fn takes_probe(&self) -> bool {
        let now = self.now_ms();
        let due = self.next_probe_ms.load(Ordering::Relaxed);
        let next = now + millis(PROBE_EVERY);
        now >= due
            && self.next_probe_ms.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn now_ms(&self) -> u64 {
        millis(self.since.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unhealthy_link_lets_no_second_probe_through_within_the_second() {
        let health = Health::new();
        assert!(health.admits() && health.admits());
        assert!(health.record(false), "the first failure is a change");
        assert!(!health.record(false), "the second is not");
        assert!(!health.admits(), "a probe is due only a second after the failure");
        health.next_probe_ms.store(0, Ordering::Relaxed);
        assert!(health.admits() && !health.admits());
        assert!(health.record(true));
        assert!(health.admits() && health.is_healthy());
    }
}
