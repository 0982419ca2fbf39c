//! A webhook receiver for `hookyard listen`, the demo, tests and benchmarks: it records calls and answers by a script.
//! Listens on loopback only; its memory is bounded whatever is sent to it.

mod answer;
mod call;
mod recorder;
mod serve;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::broadcast};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

pub use answer::Answer;
pub use call::Call;
pub use recorder::{MAX_BODIES_BYTES, MAX_CALLS};
pub use serve::MAX_BODY_BYTES;

use recorder::Recorder;

/// A running receiver. Clones share it; it stops with [`Receiver::stop`], or when the last clone is dropped.
#[derive(Clone)]
pub struct Receiver {
    inner: Arc<Inner>,
}

struct Inner {
    address: SocketAddr,
    recorder: Arc<Recorder>,
    stop: CancellationToken,
    connections: TaskTracker,
    _stop_on_drop: DropGuard,
}

impl Receiver {
    /// Listens on 127.0.0.1; port 0 takes a free one. Answers every call with 200 by default.
    ///
    /// # Errors
    /// When the port is not available.
    pub async fn start(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let (recorder, stop, connections) =
            (Arc::new(Recorder::new()), CancellationToken::new(), TaskTracker::new());
        connections.spawn(serve::serve(listener, Arc::clone(&recorder), connections.clone(), stop.clone()));
        let _stop_on_drop = stop.clone().drop_guard();
        Ok(Self { inner: Arc::new(Inner { address, recorder, stop, connections, _stop_on_drop }) })
    }

    /// The URL of a path that begins with `/`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.inner.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// Appends answers for the next calls, one each. Calls beyond the script get the default answer: 200, or that of
    /// [`Receiver::answer_always`].
    pub fn answer(&self, script: impl IntoIterator<Item = Answer>) {
        self.inner.recorder.script(script);
    }

    /// Sets the default answer.
    pub fn answer_always(&self, answer: Answer) {
        self.inner.recorder.answer_always(answer);
    }

    /// Sets the answers of a path: one for each of the next calls, then the last one for all further calls. Replaces the
    /// path's earlier script; an empty one removes it.
    pub fn answer_at(&self, path: &str, script: impl IntoIterator<Item = Answer>) {
        self.inner.recorder.script_at(path, script);
    }

    /// Answers calls of all other paths with 404 from now on, without using the script.
    pub fn only_at(&self, path: &str) {
        self.inner.recorder.only_at(path);
    }

    /// Returns the calls so far, oldest first: the last [`MAX_CALLS`], or fewer when their bodies would exceed
    /// [`MAX_BODIES_BYTES`]. A call counts once its body has been read, before it is answered.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.inner.recorder.calls()
    }

    /// Returns the number of calls so far, including those that are no longer kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inner.recorder.count()
    }

    /// Waits for at least `calls` calls, at most `within`, and returns the calls so far.
    pub async fn wait_for(&self, calls: usize, within: Duration) -> Vec<Call> {
        let mut counts = self.inner.recorder.counts();
        // On a timeout the caller sees how many there are.
        let _ = tokio::time::timeout(within, counts.wait_for(|count| *count >= calls)).await;
        self.calls()
    }

    /// Returns a stream of the calls from now on. A subscriber that lags misses calls, and receives their number.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Call> {
        self.inner.recorder.subscribe()
    }

    /// Stops listening and closes all connections, including those that wait for an answer.
    pub async fn stop(self) {
        self.inner.stop.cancel();
        self.inner.connections.close();
        self.inner.connections.wait().await;
    }
}
