//! One long-running part of a process.

use std::{fmt, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use tokio_util::sync::CancellationToken;

/// Any error that ends a service.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Run = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, Result<(), BoxError>> + Send>;

/// A part of a process that runs until it is asked to stop, drains, and returns.
pub struct Service {
    pub(super) name: &'static str,
    pub(super) deadline: Option<Duration>,
    pub(super) run: Run,
}

impl Service {
    /// Creates a service from `run`, which must finish its work and return soon after the token is cancelled.
    /// Returning `Ok` earlier is fine; returning `Err` stops the whole process.
    pub fn new<F, R>(name: &'static str, run: F) -> Self
    where
        F: FnOnce(CancellationToken) -> R + Send + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self { name, deadline: None, run: Box::new(move |stop| run(stop).boxed()) }
    }

    /// Bounds how long its shutdown may delay the services after it; by default the whole shutdown timeout.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Returns the name for logs and errors.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service({})", self.name)
    }
}
