//! A receiver of webhooks that costs little: it counts, answers as configured, and shows each call to the measurement.
//! Remembers one body and nothing else.

mod serve;
mod state;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Result;
use bytes::Bytes;
use http::HeaderMap;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use state::HANG;

use state::State;

/// A receiver on a free port of loopback.
pub(crate) struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
    serving: Serving,
}

struct Serving {
    stop: CancellationToken,
    connections: TaskTracker,
}

impl Receiver {
    /// Listens, and answers every call with 204 until configured otherwise.
    pub(crate) async fn start() -> Result<Self> {
        Self::watched(|_, _| ()).await
    }

    /// The same; `watch` sees each call.
    pub(crate) async fn watched(watch: impl Fn(&HeaderMap, &Bytes) + Send + Sync + 'static) -> Result<Self> {
        Self::on_port(0, watch).await
    }

    /// The same on a given port; 0 is a free one.
    pub(crate) async fn on_port(
        port: u16,
        watch: impl Fn(&HeaderMap, &Bytes) + Send + Sync + 'static,
    ) -> Result<Self> {
        let state = Arc::new(State {
            count: Arc::default(),
            delay_ms: AtomicU64::new(0),
            status: AtomicU16::new(204),
            sample: Mutex::new(None),
            watch: Box::new(watch),
        });
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, serving: Serving::begin(listener, &state), state })
    }

    /// The URL of a path that begins with `/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Calls so far; those that hang are not counted.
    pub(crate) fn count(&self) -> u64 {
        self.state.count.load(Relaxed)
    }

    /// The number of calls itself, for callers that read it often.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.state.count)
    }

    /// Waits this long before each answer, from now on.
    pub(crate) fn delay(&self, wait: Duration) {
        self.state.delay_ms.store(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Answers with this status from now on.
    pub(crate) fn status(&self, status: u16) {
        self.state.status.store(status, Relaxed);
    }

    /// The body of the first call.
    pub(crate) fn sample(&self) -> Option<Bytes> {
        self.state.sample.lock().expect("no holder panics").clone()
    }

    /// Stops listening and breaks every connection.
    pub(crate) async fn go_away(&self) {
        self.serving.stop.cancel();
        self.serving.connections.close();
        self.serving.connections.wait().await;
    }

    /// Listens again on its port.
    pub(crate) async fn come_back(&mut self) -> Result<()> {
        self.serving = Serving::begin(TcpListener::bind(self.address).await?, &self.state);
        Ok(())
    }
}

impl Serving {
    fn begin(listener: TcpListener, state: &Arc<State>) -> Self {
        let (stop, connections) = (CancellationToken::new(), TaskTracker::new());
        connections.spawn(serve::serve(listener, Arc::clone(state), connections.clone(), stop.clone()));
        Self { stop, connections }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.stop.cancel();
    }
}
