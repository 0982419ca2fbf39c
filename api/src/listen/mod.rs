//! The listeners of the API: connections in, requests to the router, and an orderly end.

use std::{io, net::SocketAddr, time::Duration};

use http::Extensions;
use platform::{
    context::Context,
    descriptors::Descriptors,
    supervisor::{BoxError, Service},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use web::listener::{self, Bounds};

use crate::{accept::Accept, app::App, middleware::Peer, router::router};

/// Most connections at once, all listeners together, where the limit of file descriptors allows it; a few more wait.
const MAX_CONNECTIONS: usize = 8_192;
/// Longest time for the head of a request, and for an idle connection.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// Most bytes of a request's head.
const MAX_BUFFER: usize = 128 * 1_024;
/// How long requests under way hold up the stop of the services after this one; they go on as long as there is time.
const STOPS_WITHIN: Duration = Duration::from_secs(20);

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
            bound.push(listener::bind(address).map_err(|source| BindError { address, source })?);
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
/// When a socket has no address: it was closed from outside.
pub async fn serve(app: App, listeners: Listeners, stop: CancellationToken) -> Result<(), BoxError> {
    for socket in &listeners.0 {
        tracing::info!(address = %socket.local_addr()?, "listening");
    }
    let serving = listener::serve(router(app.clone()), listeners.0, bounds(&app), mark, stop.clone());
    let no_longer_ready = async {
        stop.cancelled().await;
        app.stop_being_ready();
    };
    tokio::join!(serving, no_longer_ready);
    Ok(())
}

fn bounds(app: &App) -> Bounds {
    let connections = Descriptors::now().connections(MAX_CONNECTIONS, &app.context.config);
    Bounds { connections, head: HEAD_DEADLINE, write: app.limits.send_stall, buffer: MAX_BUFFER }
}

fn mark(extensions: &mut Extensions, peer: SocketAddr) {
    extensions.insert(Peer(peer));
}
