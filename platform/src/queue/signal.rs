//! Signals that wake watchers in every process.

/// A reason to wake a watcher. Best effort: a slow poll backs up each signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Work is due and not leased.
    Due,
    /// An endpoint changed: cached copies are stale.
    EndpointChanged,
}
