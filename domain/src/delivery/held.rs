//! How much is held for a lane that is off or broken.
//! The bounds only; what lies beyond them is dead, `held_limit`.

use std::time::Duration;

/// What is held for one lane at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLimits {
    /// Deliveries; the newest beyond it go.
    pub most: i64,
    /// For how long.
    pub longest: Duration,
}

impl Default for HeldLimits {
    /// 100,000 deliveries, 30 days.
    fn default() -> Self {
        Self { most: 100_000, longest: Duration::from_secs(30 * 24 * 3600) }
    }
}
