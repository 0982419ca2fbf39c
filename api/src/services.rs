//! The services of an API process: the listener, and the committer behind it.

use std::time::Duration;

use platform::{
    context::Context,
    supervisor::{BoxError, Service},
};
use tokio_util::sync::CancellationToken;
use web::listener::{self, BindError, Bounds, Listeners};

use crate::{accept::Accept, app::App, router::router};

/// Most connections at once, all listeners together, where the limit of file descriptors allows it; a few more wait.
const MAX_CONNECTIONS: usize = 8_192;
/// Longest time for the head of a request, and for an idle connection.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// Most bytes of a request's head.
const MAX_BUFFER: usize = 128 * 1_024;
/// How long requests in flight hold up the stop of the services after this one; they go on as long as there is time.
const STOPS_WITHIN: Duration = Duration::from_secs(20);

/// The services of an API process on the addresses of its settings.
#[must_use]
pub fn services(context: &Context) -> Vec<Service> {
    let addresses = context.config.api_addrs.clone();
    build(context, async move || Listeners::bind(&addresses).await)
}

/// The same on sockets that are bound already.
#[must_use]
pub fn services_on(context: &Context, listeners: Listeners) -> Vec<Service> {
    build(context, async move || Ok(listeners))
}

fn build<B, F>(context: &Context, bind: B) -> Vec<Service>
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

/// Serves until `stop`: then readiness is false, the listeners close, and requests in flight end.
///
/// # Errors
/// Never; a service returns a result.
pub async fn serve(app: App, listeners: Listeners, stop: CancellationToken) -> Result<(), BoxError> {
    for address in listeners.addresses() {
        tracing::info!(%address, "listening");
    }
    let (router, bounds) = (router(app.clone()), bounds(&app));
    listener::serve(router, listeners, bounds, stop, || app.stop_being_ready()).await;
    Ok(())
}

fn bounds(app: &App) -> Bounds {
    let bounds = Bounds {
        connections: MAX_CONNECTIONS,
        head: HEAD_DEADLINE,
        write: app.limits.send_stall,
        buffer: MAX_BUFFER,
    };
    bounds.within_descriptors(&app.context.config)
}
