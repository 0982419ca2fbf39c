//! The listener of the pages: connections in, requests to the router, and an orderly end. Whoever keeps connections idle
//! must never use up the process's file descriptors: deliveries need them.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Pause after a failed accept: the process is out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Most headers of a request.
const MAX_HEADERS: usize = 100;
/// Buffer of a connection, which is also the most that a request's head may have, in bytes.
const MAX_BUFFER: usize = 32 * 1_024;

/// How much is taken on at once, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most connections at once; others wait in the backlog.
    pub(crate) connections: usize,
    /// Longest time for the head of a request, and for an idle connection.
    pub(crate) head: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections: 512, head: Duration::from_secs(30) }
    }
}

/// Serves until `stop`; then requests under way end.
pub(crate) async fn serve(router: Router, listener: TcpListener, bounds: Bounds, stop: CancellationToken) {
    let server = Server { router, head: bounds.head, stop };
    let (places, connections) = (Arc::new(Semaphore::new(bounds.connections)), TaskTracker::new());
    let next = async || {
        let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
        (place, listener.accept().await)
    };
    while let Some((place, taken)) = server.stop.run_until_cancelled(next()).await {
        match taken {
            Ok((stream, peer)) => drop(connections.spawn(server.clone().connection(stream, peer, place))),
            Err(error) => {
                tracing::warn!(%error, "a connection to the dashboard could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

#[derive(Clone)]
struct Server {
    router: Router,
    head: Duration,
    stop: CancellationToken,
}

impl Server {
    async fn connection(self, stream: TcpStream, peer: SocketAddr, _place: OwnedSemaphorePermit) {
        // A socket that refuses an option still works.
        let _ = stream.set_nodelay(true);
        let pages = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            pages.call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.head)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_BUFFER);
        let served = http.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(served);
        let ended = tokio::select! {
            ended = served.as_mut() => ended,
            () = self.stop.cancelled() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection to the dashboard broke");
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        task::JoinHandle,
        time::timeout,
    };

    use super::*;

    /// Longest wait for anything; only a failing test waits so long.
    const PATIENCE: Duration = Duration::from_secs(20);

    struct Running {
        address: SocketAddr,
        stop: CancellationToken,
        serving: JoinHandle<()>,
    }

    async fn start(bounds: Bounds) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let who = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string();
        let (router, stop) = (Router::new().route("/who", get(who)), CancellationToken::new());
        let serving = tokio::spawn(serve(router, listener, bounds, stop.clone()));
        Running { address, stop, serving }
    }

    async fn read(mut stream: TcpStream) -> String {
        let mut told = String::new();
        // A reset is as good an end as any.
        let _ = timeout(PATIENCE, stream.read_to_string(&mut told)).await.expect("an end in time");
        told
    }

    async fn ask(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = b"GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        stream
    }

    #[tokio::test]
    async fn pages_know_who_asks() {
        let running = start(Bounds::default()).await;
        let stream = ask(running.address).await;
        let ours = stream.local_addr().expect("an address").to_string();
        assert!(read(stream).await.ends_with(&ours));
    }

    #[tokio::test]
    async fn a_connection_without_a_request_is_closed() {
        let running = start(Bounds { head: Duration::from_millis(50), ..Bounds::default() }).await;
        let idle = TcpStream::connect(running.address).await.expect("a connection");
        read(idle).await;
        let mut slow = TcpStream::connect(running.address).await.expect("a connection");
        slow.write_all(b"GET /who HTTP/1.1\r\nhost:").await.expect("sent");
        assert!(!read(slow).await.contains(" 200 "));
        let mut kept = TcpStream::connect(running.address).await.expect("a connection");
        kept.write_all(b"GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        assert!(read(kept).await.contains(" 200 "), "answered, and closed when nothing came after it");
    }

    #[tokio::test]
    async fn one_connection_more_than_fits_waits_for_a_place() {
        let running = start(Bounds { connections: 1, head: PATIENCE }).await;
        let mut first = TcpStream::connect(running.address).await.expect("a connection");
        first.write_all(b"GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        first.readable().await.expect("it has the place");
        let second = ask(running.address).await;
        let early = timeout(Duration::from_millis(100), second.readable()).await;
        assert!(early.is_err(), "no place, no answer");
        drop(first);
        assert!(read(second).await.contains(" 200 "));
    }

    #[tokio::test]
    async fn a_stop_closes_idle_connections_and_ends() {
        let running = start(Bounds::default()).await;
        let mut idle = TcpStream::connect(running.address).await.expect("a connection");
        idle.write_all(b"GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        idle.readable().await.expect("it is served");
        running.stop.cancel();
        timeout(PATIENCE, running.serving).await.expect("in time").expect("an end");
        assert!(read(idle).await.contains(" 200 "));
    }
}
