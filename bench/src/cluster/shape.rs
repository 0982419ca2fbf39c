//! The two shapes of the one program.

use std::fmt;

use clap::ValueEnum;

/// Which databases, queues and processes are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// One process on SQLite, its queue in memory.
    Embedded,
    /// An API and workers on Postgres and Redis.
    Cluster,
}

impl Shape {
    /// As the command line has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Cluster => "cluster",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
