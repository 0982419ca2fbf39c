//! The listener of every process: connections in, requests to the router, and an orderly end. Connections that stay idle,
//! trickle a head or do not read an answer end after a while, and never keep out a health or metrics probe.

mod bind;
mod bounds;
mod connection;
mod places;
mod write_timeout;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
    task::JoinSet,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::places::Places;
pub use self::{
    bind::{BindError, Listeners},
    bounds::Bounds,
};

/// Pause after a failed accept: the process is out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Longest life of a probe's connection while all general places are taken.
const PROBE_DEADLINE: Duration = Duration::from_secs(10);

/// Serves `router` on `listeners` until `stop`. Then it calls `on_stop`, the sockets close, and requests in flight end. Every
/// request carries a [`Peer`](crate::Peer).
pub async fn serve(
    router: Router,
    listeners: Listeners,
    bounds: Bounds,
    stop: CancellationToken,
    on_stop: impl FnOnce(),
) {
    let places = Places::new(bounds.connections);
    let server =
        Arc::new(Server { router, bounds, places, connections: TaskTracker::new(), stop: stop.clone() });
    let mut listening = JoinSet::new();
    for socket in listeners.0 {
        listening.spawn(server.clone().accept_all(socket));
    }
    let stopping = async {
        stop.cancelled().await;
        on_stop();
    };
    tokio::join!(listening.join_all(), stopping);
    server.connections.close();
    server.connections.wait().await;
}

struct Server {
    router: Router,
    bounds: Bounds,
    places: Places,
    connections: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    async fn accept_all(self: Arc<Self>, socket: TcpListener) {
        while let Some(accepted) = self.stop.run_until_cancelled(socket.accept()).await {
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let server = self.clone();
        match self.places.try_take() {
            Some(place) => drop(self.connections.spawn(server.general(stream, peer, place))),
            None => drop(self.connections.spawn(server.crowded(stream, peer))),
        }
    }

    async fn general(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, _place: OwnedSemaphorePermit) {
        self.connection(stream, peer, true).await;
    }

    /// All general places are taken: waits for one, unless it is a probe.
    async fn crowded(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let overtaken = self.places.wait();
        let waited = timeout(self.bounds.head, async {
            tokio::select! {
                place = self.places.take() => Some(Admission::Place(place)),
                () = connection::is_probe(&stream) => Some(Admission::Probe),
                () = overtaken.cancelled() => None,
                () = self.stop.cancelled() => None,
            }
        });
        match waited.await.ok().flatten() {
            Some(Admission::Place(place)) => self.general(stream, peer, place).await,
            Some(Admission::Probe) => self.probe(stream, peer).await,
            None => {}
        }
    }

    async fn probe(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let overtaken = self.places.probe();
        let answered = timeout(PROBE_DEADLINE, self.connection(stream, peer, false));
        overtaken.run_until_cancelled(answered).await;
    }
}

/// How a connection that found all general places taken gets in.
enum Admission {
    Place(OwnedSemaphorePermit),
    Probe,
}
