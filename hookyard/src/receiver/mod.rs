//! A receiver of webhooks on this machine, for `hookyard listen`, the demo and tests: it remembers what it gets and
//! answers as it is told. Listens on loopback only, and its memory is bounded whatever comes in.

mod answer;
mod call;
mod log;
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
pub use log::{MAX_BODIES_BYTES, MAX_CALLS};
pub use serve::MAX_BODY_BYTES;

use log::Log;

/// A running receiver. Clones are the same one; it stops with [`Receiver::stop`], or when the last clone is gone.
#[derive(Clone)]
pub struct Receiver {
    inner: Arc<Inner>,
}

struct Inner {
    address: SocketAddr,
    log: Arc<Log>,
    stop: CancellationToken,
    connections: TaskTracker,
    _stop_on_drop: DropGuard,
}

impl Receiver {
    /// Listens on 127.0.0.1; port 0 takes a free one. Answers every call with 200 until told otherwise.
    ///
    /// # Errors
    /// When the port can't be had.
    pub async fn start(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let (log, stop, connections) = (Arc::new(Log::new()), CancellationToken::new(), TaskTracker::new());
        connections.spawn(serve::serve(listener, Arc::clone(&log), connections.clone(), stop.clone()));
        let _stop_on_drop = stop.clone().drop_guard();
        Ok(Self { inner: Arc::new(Inner { address, log, stop, connections, _stop_on_drop }) })
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

    /// What the next calls get, one each, after what was told before; calls beyond get 200, or what
    /// [`Receiver::answer_always`] said.
    pub fn answer(&self, script: impl IntoIterator<Item = Answer>) {
        self.inner.log.script(script);
    }

    /// What every call gets that no script is left for.
    pub fn answer_always(&self, answer: Answer) {
        self.inner.log.answer_always(answer);
    }

    /// What the next calls of this path get, one each, and the last of them from then on; in place of what was told of it
    /// before. An empty script takes that back.
    pub fn answer_at(&self, path: &str, script: impl IntoIterator<Item = Answer>) {
        self.inner.log.script_at(path, script);
    }

    /// From now on calls of other paths than this get 404, and use up no script.
    pub fn only_at(&self, path: &str) {
        self.inner.log.only_at(path);
    }

    /// The calls so far, oldest first: the last [`MAX_CALLS`], or fewer when their bodies would be more than
    /// [`MAX_BODIES_BYTES`]. A call counts when its body is in, before it is answered.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.inner.log.calls()
    }

    /// How many calls there were, also those that are no longer kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inner.log.count()
    }

    /// The calls so far, as soon as there were at least `calls` of them, and after `within` in any case.
    pub async fn wait_for(&self, calls: usize, within: Duration) -> Vec<Call> {
        let mut counts = self.inner.log.counts();
        // Late, or the receiver is gone: there is what there is.
        let _ = tokio::time::timeout(within, counts.wait_for(|count| *count >= calls)).await;
        self.calls()
    }

    /// Each call from now on. Who is too slow misses some, and is told how many.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Call> {
        self.inner.log.subscribe()
    }

    /// Stops listening and closes every connection, also those that wait for an answer.
    pub async fn stop(self) {
        self.inner.stop.cancel();
        self.inner.connections.close();
        self.inner.connections.wait().await;
    }
}
