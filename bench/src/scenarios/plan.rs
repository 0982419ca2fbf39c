//! The options of a scenario run.

use std::time::{Duration, Instant};

use crate::chaos;

/// How to run a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Runs longer, with more rows.
    pub(crate) full: bool,
    /// The seed of the schedule of faults.
    pub(crate) seed: u64,
    /// The faults to inject; empty means all.
    pub(crate) faults: Vec<chaos::Fault>,
    /// How long faults or load last, if the command line sets it.
    pub(crate) length: Option<Duration>,
    /// When the scenario must have ended.
    pub(crate) deadline: Instant,
    /// Connections of a closed loop, if the command line sets them.
    pub(crate) connections: Option<usize>,
}

impl Plan {
    /// Returns the usual length in seconds, or the longer one with `--full`.
    pub(crate) const fn seconds(&self, usual: u64, full: u64) -> Duration {
        Duration::from_secs(if self.full { full } else { usual })
    }
}
