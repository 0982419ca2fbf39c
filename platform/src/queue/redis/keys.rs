//! The Redis keys of a queue.

use domain::job::QueueName;

/// The keys of one queue. The braces keep both on one node of a Redis cluster.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) jobs: String,
    pub(super) waiting: String,
}

impl Keys {
    pub(super) fn new(namespace: &str, queue: QueueName) -> Self {
        let jobs = format!("{{{namespace}:{queue}}}");
        Self { waiting: format!("{jobs}:waiting"), jobs }
    }
}
