//! The process's clock, with an offset that tests move. Rows are compared with the database's clock where there is one
//! for all processes ([`crate::database`]); this one stamps attempts and signatures.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use domain::clock::{Millis, millis};

/// The current time. Clones share one offset.
#[derive(Clone, Debug)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
    began: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self { offset_ms: Arc::default(), began: Instant::now() }
    }
}

impl Clock {
    /// Returns the current time plus the offset.
    #[must_use]
    pub fn now(&self) -> Millis {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(millis(since_epoch).saturating_add(self.offset_ms()))
    }

    /// Returns the time since this clock was created, plus the offset. Monotonic: ignores changes of the system clock.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let offset = Duration::from_millis(u64::try_from(self.offset_ms()).unwrap_or_default());
        self.began.elapsed().saturating_add(offset)
    }

    /// Returns the offset in ms; zero outside tests. Statements add it to the database's clock.
    #[must_use]
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Moves every clone forward.
    pub fn forward(&self, by: Duration) {
        self.offset_ms.fetch_add(millis(by), Ordering::Relaxed);
    }
}
