//! The result of a push.

/// The result of a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// How many jobs were pushed, counted from the first.
    pub jobs: usize,
    /// The length of the queue now, in the unit of [`domain::job::WINDOW`].
    pub waiting: usize,
}
