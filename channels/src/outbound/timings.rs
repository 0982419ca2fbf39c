//! Durations that reqwest does not report, noted by the resolver and the connector for the send that caused them.
//! A connection that outlives its send (another one was free first) finishes in a task without marks and notes nothing.

use std::{
    cell::Cell,
    future::Future,
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tower::{Layer, Service};

tokio::task_local! {
    static MARKS: Timings;
}

/// What is known of the send under way.
#[derive(Clone, Default)]
pub(super) struct Timings {
    resolving: Cell<bool>,
    resolve: Cell<Option<Duration>>,
    connect: Cell<Option<Duration>>,
    only_v6: Cell<bool>,
}

impl Timings {
    /// Runs `send` with marks of its own.
    pub(super) async fn scope<F: Future>(send: F) -> F::Output {
        MARKS.scope(Self::default(), send).await
    }

    /// The marks of the send that calls this.
    pub(super) fn current() -> Self {
        MARKS.try_with(Clone::clone).unwrap_or_default()
    }

    /// How long the name took to resolve, if one was resolved.
    pub(super) const fn resolve(&self) -> Option<Duration> {
        self.resolve.get()
    }

    /// How long TCP and TLS took, if a connection was made.
    pub(super) const fn connect(&self) -> Option<Duration> {
        self.connect.get()
    }

    /// Whether the name has IPv6 addresses only.
    pub(super) const fn is_only_v6(&self) -> bool {
        self.only_v6.get()
    }

    /// Whether a name is being resolved.
    pub(super) const fn is_resolving(&self) -> bool {
        self.resolving.get()
    }
}

/// Runs a name resolution and notes how long it took.
pub(crate) async fn timing_resolve<F: Future>(resolution: F) -> F::Output {
    let start = Instant::now();
    note(|marks| marks.resolving.set(true));
    let found = resolution.await;
    note(|marks| {
        marks.resolving.set(false);
        marks.resolve.set(Some(start.elapsed()));
    });
    found
}

/// Notes what a name resolved to.
pub(crate) fn note_addresses(addresses: &[IpAddr]) {
    note(|marks| marks.only_v6.set(addresses.iter().all(IpAddr::is_ipv6)));
}

fn note(write: impl FnOnce(&Timings)) {
    // No marks: the connector runs in the pool's own task, or the resolver outside a send.
    let _ = MARKS.try_with(write);
}

/// Wraps the connector so that it notes how long a new connection took.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimedConnect;

impl<S> Layer<S> for TimedConnect {
    type Service = TimedConnector<S>;

    fn layer(&self, connector: S) -> Self::Service {
        TimedConnector(connector)
    }
}

/// A connector that notes how long it took, without the name resolution inside it.
#[derive(Clone, Debug)]
pub(super) struct TimedConnector<S>(S);

impl<S, R> Service<R> for TimedConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, destination: R) -> Self::Future {
        let connecting = self.0.call(destination);
        Box::pin(async move {
            let start = Instant::now();
            let connected = connecting.await;
            if connected.is_ok() {
                note(|marks| {
                    let resolve = marks.resolve.get().unwrap_or_default();
                    marks.connect.set(Some(start.elapsed().saturating_sub(resolve)));
                });
            }
            connected
        })
    }
}
