//! The listener of every process: connections in, requests to the router, and an orderly end. Connections that stay idle,
//! trickle a head or do not read an answer end after a while, and never keep out a health or metrics probe.

mod bind;
mod connection;
mod places;
mod write_timeout;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use http::Extensions;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
    task::JoinSet,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::bind::bind;
use self::places::Places;

/// Pause after a failed accept: the process is out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Longest life of a probe's connection while all general places are taken.
const PROBE_DEADLINE: Duration = Duration::from_secs(10);

/// What a listener takes in at once, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most connections, all sockets of the listener together.
    pub connections: usize,
    /// Longest time for the head of a request, for an idle connection, and for one that waits for a place.
    pub head: Duration,
    /// Longest time in which nothing of an answer is read.
    pub write: Duration,
    /// Buffer of a connection, which is also the most that a request's head may have, in bytes.
    pub buffer: usize,
}

/// Serves `router` on `sockets` until `stop`; then the sockets close and requests under way end. `mark` tells each request
/// whom it comes from.
pub async fn serve(
    router: Router,
    sockets: Vec<TcpListener>,
    bounds: Bounds,
    mark: fn(&mut Extensions, SocketAddr),
    stop: CancellationToken,
) {
    let places = Places::new(bounds.connections);
    let server = Arc::new(Server { router, bounds, mark, places, connections: TaskTracker::new(), stop });
    let mut listening = JoinSet::new();
    for socket in sockets {
        listening.spawn(server.clone().take_connections(socket));
    }
    listening.join_all().await;
    server.connections.close();
    server.connections.wait().await;
}

struct Server {
    router: Router,
    bounds: Bounds,
    mark: fn(&mut Extensions, SocketAddr),
    places: Places,
    connections: TaskTracker,
    stop: CancellationToken,
}

impl Server {
    async fn take_connections(self: Arc<Self>, socket: TcpListener) {
        while let Some(taken) = self.stop.run_until_cancelled(socket.accept()).await {
            match taken {
                Ok((stream, peer)) => self.take_in(stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn take_in(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr) {
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
                place = self.places.take() => Some(WritePermit::Place(place)),
                () = connection::is_probe(&stream) => Some(WritePermit::Probe),
                () = overtaken.cancelled() => None,
                () = self.stop.cancelled() => None,
            }
        });
        match waited.await.ok().flatten() {
            Some(WritePermit::Place(place)) => self.general(stream, peer, place).await,
            Some(WritePermit::Probe) => self.probe(stream, peer).await,
            None => {}
        }
    }

    async fn probe(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let overtaken = self.places.probe();
        let answered = timeout(PROBE_DEADLINE, self.connection(stream, peer, false));
        overtaken.run_until_cancelled(answered).await;
    }
}

enum WritePermit {
    Place(OwnedSemaphorePermit),
    Probe,
}
