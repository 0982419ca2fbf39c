//! The sources that pages read from.

use platform::{clock::Clock, database::Database, queue::Queue};

/// Everything that pages are read from.
#[derive(Clone)]
pub(crate) struct Sources {
    /// The database; only its reader is used.
    pub(crate) database: Database,
    /// The queue, for depths.
    pub(crate) queue: Queue,
    /// The time.
    pub(crate) clock: Clock,
}
