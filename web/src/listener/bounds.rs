//! Bounds of a listener.

use std::time::Duration;

use platform::{config::Config, descriptors::Descriptors};

/// What a listener takes in at once, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most connections, all sockets of the listener together; a few more wait.
    pub connections: usize,
    /// Longest time for the head of a request, for an idle connection, and for one that waits for a place.
    pub head: Duration,
    /// Longest time in which a client may read nothing of a response.
    pub write: Duration,
    /// Buffer of a connection, and so the largest request head, in bytes.
    pub buffer: usize,
}

impl Bounds {
    /// The same with fewer connections where the limit of file descriptors asks for it: deliveries, the database and files
    /// keep theirs.
    #[must_use]
    pub fn within_descriptors(self, config: &Config) -> Self {
        Self { connections: Descriptors::now().connections(self.connections, config), ..self }
    }
}
