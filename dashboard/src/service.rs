//! The dashboard as services of a process: a listener, and the one poller that feeds the live stream.

use std::{io, net::TcpListener, time::Duration};

use axum::Router;
use platform::{context::Context, supervisor::Service};
use tokio_util::sync::CancellationToken;
use web::listener::{self, Bounds};

use crate::{app::App, listen, routes};

/// How long a stop waits for readers that take their time over a page.
const SLOW_READERS: Duration = Duration::from_secs(3);

/// The pages alone, for a listener of the caller's. Nothing feeds their live stream: that is what [`services`] adds.
pub fn router(context: &Context) -> Router {
    routes::router(App::new(context))
}

/// The dashboard on `DASHBOARD_ADDR`. The listener's service ends by an error when the address can't be bound.
#[must_use]
pub fn services(context: &Context) -> Vec<Service> {
    let address = context.config.dashboard_addr;
    start(context, move || listener::bind(address))
}

/// The dashboard on a listener that is bound already, such as one on a port that the system chose.
#[must_use]
pub fn services_on(context: &Context, listener: TcpListener) -> Vec<Service> {
    start(context, move || {
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    })
}

fn start<B>(context: &Context, bind: B) -> Vec<Service>
where
    B: FnOnce() -> io::Result<tokio::net::TcpListener> + Send + 'static,
{
    let (app, bounds) = (App::new(context), listen::bounds(&context.config));
    let poller = app.clone();
    vec![
        Service::new("dashboard", move |stop| async move { Ok(serve(app, bind()?, bounds, stop).await?) })
            .with_deadline(SLOW_READERS),
        Service::new("dashboard-poller", move |stop| async move {
            poller.live.poll(&poller.sources, &stop).await;
            Ok(())
        }),
    ]
}

async fn serve(
    app: App,
    socket: tokio::net::TcpListener,
    bounds: Bounds,
    stop: CancellationToken,
) -> io::Result<()> {
    tracing::debug!("dashboard on http://{}", socket.local_addr()?);
    let live = app.live.clone();
    let serving = listener::serve(routes::router(app), vec![socket], bounds, listen::mark, stop.clone());
    let closing = async {
        stop.cancelled().await;
        // Streams have no end of their own, and a graceful stop waits for every answer.
        live.close();
    };
    tokio::join!(serving, closing);
    Ok(())
}
