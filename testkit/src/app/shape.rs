//! The two shapes that a test runs on.

/// Which databases and queues a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// SQLite and a queue in memory.
    Embedded,
    /// Postgres and Redis.
    Cluster,
}
