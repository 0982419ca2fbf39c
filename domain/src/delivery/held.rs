//! How many deliveries are held for a paused or disabled endpoint, and for how long. Those beyond become dead letters with
//! the reason `held_limit`.

use std::time::Duration;

/// The bounds of held deliveries of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLimits {
    /// Most due deliveries; beyond it those with the latest due time go first. Set by `HELD_LIMIT`.
    pub max_deliveries: i64,
    /// Longest time that a delivery is held.
    pub max_age: Duration,
}

impl HeldLimits {
    /// The default of `max_deliveries`.
    pub const MAX_DELIVERIES: i64 = 100_000;
}

impl Default for HeldLimits {
    /// [`Self::MAX_DELIVERIES`] deliveries, 30 days.
    fn default() -> Self {
        Self { max_deliveries: Self::MAX_DELIVERIES, max_age: Duration::from_secs(30 * 24 * 3600) }
    }
}
