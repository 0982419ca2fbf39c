//! The dashboard as services of a process: a listener, and the one poller that feeds the live stream.

use std::{net::TcpListener, time::Duration};

use axum::Router;
use platform::{
    config::Config,
    context::Context,
    supervisor::{BoxError, Service},
};
use tokio_util::sync::CancellationToken;
use web::listener::{self, Bounds, Listeners};

use crate::{app::App, routes};

/// Most connections at once, where the limit of file descriptors allows it; a few more wait.
const MAX_CONNECTIONS: usize = 512;
/// Longest time for the head of a request, and for an idle connection.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// Longest time in which nothing of an answer is read.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// Most bytes of a request's head.
const MAX_BUFFER: usize = 32 * 1_024;

/// How long a stop waits for viewers that read a page slowly.
const SLOW_READERS: Duration = Duration::from_secs(3);

/// The pages alone, for a listener of the caller's. Nothing feeds their live stream: that is what [`services`] adds.
pub fn router(context: &Context) -> Router {
    routes::router(App::new(context))
}

/// The dashboard on `DASHBOARD_ADDR`. The listener's service ends with an error when the address cannot be bound.
#[must_use]
pub fn services(context: &Context) -> Vec<Service> {
    let address = context.config.dashboard_addr;
    build(context, async move || Ok(Listeners::bind(&[address]).await?))
}

/// The dashboard on a listener that is bound already, such as one on a port that the system chose.
#[must_use]
pub fn services_on(context: &Context, listener: TcpListener) -> Vec<Service> {
    build(context, async move || Ok(Listeners::from_std(listener)?))
}

fn build<B, F>(context: &Context, bind: B) -> Vec<Service>
where
    B: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<Listeners, BoxError>> + Send,
{
    let (app, bounds) = (App::new(context), bounds(&context.config));
    let poller = app.clone();
    let pages = Service::new("dashboard", async move |stop| {
        serve(app, bind().await?, bounds, stop).await;
        Ok(())
    });
    let poll = Service::new("dashboard-poller", async move |stop| {
        poller.live.poll(&poller.sources, &stop).await;
        Ok(())
    });
    vec![pages.with_deadline(SLOW_READERS), poll]
}

async fn serve(app: App, listeners: Listeners, bounds: Bounds, stop: CancellationToken) {
    for address in listeners.addresses() {
        tracing::debug!("dashboard on http://{address}");
    }
    let live = app.live.clone();
    // Streams have no end of their own, and a graceful stop waits for every answer.
    listener::serve(routes::router(app), listeners, bounds, stop, || live.close()).await;
}

fn bounds(config: &Config) -> Bounds {
    let bounds = Bounds {
        connections: MAX_CONNECTIONS,
        head: HEAD_DEADLINE,
        write: WRITE_DEADLINE,
        buffer: MAX_BUFFER,
    };
    bounds.within_descriptors(config)
}
