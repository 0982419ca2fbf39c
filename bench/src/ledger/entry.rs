//! One entry of the ledger.

use std::time::Duration;

/// One request: when it was made and what became of it, in µs of the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    pub(super) asked: u64,
    pub(super) status: Option<u16>,
    pub(super) accepted: Option<u64>,
    pub(super) arrived: Option<u64>,
    pub(super) calls: u32,
}

/// Converts the unit of the ledger.
pub(super) const fn micros(count: u64) -> Duration {
    Duration::from_micros(count)
}
