//! One connection: HTTP/1.1 with bounds, until either side ends it or the process stops.

use std::{future::pending, net::SocketAddr};

use axum::extract::Request;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpStream;

use super::{Server, write_timeout::WriteTimeout};
use crate::peer::Peer;

/// Most headers of a request.
const MAX_HEADERS: usize = 100;
/// How the requests of probes begin.
const PROBES: [&[u8]; 4] = [b"GET /health", b"HEAD /health", b"GET /metrics", b"HEAD /metrics"];
/// Bytes of the longest of them.
const LONGEST: usize = 13;

impl Server {
    pub(super) async fn connection(&self, stream: TcpStream, peer: SocketAddr, keep_alive: bool) {
        // A socket that refuses an option still works.
        let _ = stream.set_nodelay(true);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.bounds.head)
            .max_headers(MAX_HEADERS)
            .max_buf_size(self.bounds.buffer)
            .keep_alive(keep_alive);
        let io = TokioIo::new(WriteTimeout::new(stream, self.bounds.write));
        let routes = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            routes.call(request)
        });
        let served = http.serve_connection(io, service);
        tokio::pin!(served);
        let ended = tokio::select! {
            ended = served.as_mut() => ended,
            () = self.stop.cancelled() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// Returns as soon as the connection's first bytes are those of a probe; never, when they are not.
pub(super) async fn is_probe(stream: &TcpStream) {
    let mut head = [0; LONGEST];
    let first = stream.peek(&mut head).await.map(|bytes| &head[..bytes]);
    if !first.is_ok_and(|first| PROBES.iter().any(|probe| first.starts_with(probe))) {
        pending::<()>().await;
    }
}
