//! How much is held for an endpoint that is paused or disabled.
//! The bounds only; what lies beyond them is dead, `held_limit`.

use std::time::Duration;

/// What is held for one lane at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLimits {
    /// Deliveries that are due; of those beyond it the ones that are due last go. `HELD_LIMIT`.
    pub most: i64,
    /// For how long.
    pub longest: Duration,
}

impl HeldLimits {
    /// The default of `most`.
    pub const MOST: i64 = 100_000;
}

impl Default for HeldLimits {
    /// [`Self::MOST`] deliveries, 30 days.
    fn default() -> Self {
        Self { most: Self::MOST, longest: Duration::from_secs(30 * 24 * 3600) }
    }
}
