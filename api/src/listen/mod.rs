//! The listeners of the API: connections in, requests to the router, and an orderly end.

mod patience;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Request};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use platform::{
    context::Context,
    supervisor::{BoxError, Service},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::patience::Patience;
use crate::{accept::Accept, app::App, edge::Peer, router::router};

/// Most connections at once, all listeners together; others wait in the backlog.
const MAX_CONNECTIONS: usize = 8_192;
/// Longest time for the head of a request, and for an idle connection.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// Most headers of a request.
const MAX_HEADERS: usize = 100;
/// Buffer of a connection, which is also the most that a request's head may have, in bytes.
const MAX_BUFFER: usize = 128 * 1_024;
/// How long requests under way hold up the stop of the services after this one; they go on as long as there is time.
const STOPS_WITHIN: Duration = Duration::from_secs(20);
/// Pause after a failed accept: the process is out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address, as set.
    pub address: SocketAddr,
    /// Why not.
    pub source: io::Error,
}

/// Sockets that are bound and not yet served.
#[derive(Debug)]
pub struct Listeners(Vec<TcpListener>);

impl Listeners {
    /// Binds every address; port 0 takes a free one.
    ///
    /// # Errors
    /// With the first address that cannot be had.
    pub async fn bind(addresses: &[SocketAddr]) -> Result<Self, BindError> {
        let mut bound = Vec::with_capacity(addresses.len());
        for &address in addresses {
            bound.push(TcpListener::bind(address).await.map_err(|source| BindError { address, source })?);
        }
        Ok(Self(bound))
    }

    /// The addresses as bound.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }
}

/// The services of an API process on the addresses of its settings.
#[must_use]
pub fn services(context: &Context) -> Vec<Service> {
    let addresses = context.config.api_addrs.clone();
    built(context, async move || Listeners::bind(&addresses).await)
}

/// The same on sockets that are bound already.
#[must_use]
pub fn services_on(context: &Context, listeners: Listeners) -> Vec<Service> {
    built(context, async move || Ok(listeners))
}

fn built<B, F>(context: &Context, bind: B) -> Vec<Service>
where
    B: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<Listeners, BindError>> + Send,
{
    let (accept, accept_services) = Accept::new(context);
    let app = App::new(context, accept);
    let api = Service::new("api", async move |stop| serve(app, bind().await?, stop).await);
    let api = api.with_deadline(STOPS_WITHIN);
    std::iter::once(api).chain(accept_services).collect()
}

/// Serves until `stop`: then readiness is false, the listeners close, and requests under way end.
///
/// # Errors
/// None of its own: connections fail for themselves.
pub async fn serve(app: App, listeners: Listeners, stop: CancellationToken) -> Result<(), BoxError> {
    let server = Arc::new(Server {
        router: router(app.clone()),
        places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        connections: TaskTracker::new(),
        stop: stop.clone(),
        send_stall: app.limits.send_stall,
    });
    let mut listening = JoinSet::new();
    for listener in listeners.0 {
        tracing::info!(address = %listener.local_addr()?, "listening");
        listening.spawn(server.clone().take_connections(listener));
    }
    stop.cancelled().await;
    app.stop_being_ready();
    listening.join_all().await;
    server.connections.close();
    server.connections.wait().await;
    Ok(())
}

struct Server {
    router: Router,
    places: Arc<Semaphore>,
    connections: TaskTracker,
    stop: CancellationToken,
    send_stall: Duration,
}

impl Server {
    async fn take_connections(self: Arc<Self>, listener: TcpListener) {
        let next = async || {
            let place = self.places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (place, listener.accept().await)
        };
        while let Some((place, taken)) = self.stop.run_until_cancelled(next()).await {
            match taken {
                Ok((stream, peer)) => {
                    drop(self.connections.spawn(self.clone().connection(stream, Peer(peer), place)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, peer: Peer, _place: OwnedSemaphorePermit) {
        // A socket that refuses an option still works.
        let _ = stream.set_nodelay(true);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(HEAD_DEADLINE)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_BUFFER);
        let io = TokioIo::new(Patience::with(stream, self.send_stall));
        let routes = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
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
