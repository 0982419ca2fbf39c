//! One long-running part of a process.

use std::{fmt, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use tokio_util::sync::CancellationToken;

/// Any error that ends a service.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Run = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, Result<(), BoxError>> + Send>;

/// A part of a process that runs until it is told to stop, drains, and returns.
pub struct Service {
    pub(super) name: &'static str,
    pub(super) deadline: Option<Duration>,
    pub(super) run: Run,
}

impl Service {
    /// A service that begins in `run` and must return soon after the token is cancelled, with its work done.
    /// Returning `Ok` earlier is fine; returning `Err` stops the whole process.
    pub fn new<F, R>(name: &'static str, run: F) -> Self
    where
        F: FnOnce(CancellationToken) -> R + Send + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self { name, deadline: None, run: Box::new(move |stop| run(stop).boxed()) }
    }

    /// How long its stop may hold up the services after it; by default all the time that the stop has.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The name in logs and errors.
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
