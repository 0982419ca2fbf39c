//! Durations that reqwest does not report, recorded by the resolver and the connector for the send that caused them.
//! A connection that outlives its send (another one was free first) finishes in a task without timings and records nothing.

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
    static TIMINGS: Timings;
}

/// The timings of the send in progress.
#[derive(Clone, Default)]
pub(super) struct Timings {
    resolving: Cell<bool>,
    resolve: Cell<Option<Duration>>,
    connect: Cell<Option<Duration>>,
    only_v6: Cell<bool>,
}

impl Timings {
    /// Runs `send` with its own timings.
    pub(super) async fn scope<F: Future>(send: F) -> F::Output {
        TIMINGS.scope(Self::default(), send).await
    }

    /// Returns the timings of the calling send.
    pub(super) fn current() -> Self {
        TIMINGS.try_with(Clone::clone).unwrap_or_default()
    }

    /// Returns how long name resolution took, if a name was resolved.
    pub(super) const fn resolve(&self) -> Option<Duration> {
        self.resolve.get()
    }

    /// Returns how long TCP and TLS took, if a connection was opened.
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

/// Runs a name resolution and records its duration.
pub(crate) async fn time_resolution<F: Future>(resolution: F) -> F::Output {
    let start = Instant::now();
    record(|timings| timings.resolving.set(true));
    let found = resolution.await;
    record(|timings| {
        timings.resolving.set(false);
        timings.resolve.set(Some(start.elapsed()));
    });
    found
}

/// Records the addresses of a name.
pub(crate) fn record_addresses(addresses: &[IpAddr]) {
    record(|timings| timings.only_v6.set(addresses.iter().all(IpAddr::is_ipv6)));
}

fn record(write: impl FnOnce(&Timings)) {
    // Fails when the connector runs in the pool's task, or the resolver outside a send.
    let _ = TIMINGS.try_with(write);
}

/// Wraps the connector to record how long a new connection took.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimedConnect;

impl<S> Layer<S> for TimedConnect {
    type Service = TimedConnector<S>;

    fn layer(&self, connector: S) -> Self::Service {
        TimedConnector(connector)
    }
}

/// A connector that records its duration without the name resolution inside it.
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
                record(|timings| {
                    let resolve = timings.resolve.get().unwrap_or_default();
                    timings.connect.set(Some(start.elapsed().saturating_sub(resolve)));
                });
            }
            connected
        })
    }
}
