//! Connections in, answers out, on hyper itself.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::state::{HANG, State};

/// Pause after a connection that could not be taken: out of file descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(50);

/// Takes connections until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    state: Arc<State>,
    connections: TaskTracker,
    stop: CancellationToken,
) {
    while let Some(taken) = stop.run_until_cancelled(listener.accept()).await {
        match taken {
            Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&state), stop.clone()))),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn connection(stream: TcpStream, state: Arc<State>, stop: CancellationToken) {
    // A socket that refuses an option still works.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(request, &state));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that broke is the sender's affair.
    let _ = stop.run_until_cancelled(served).await;
}

async fn answer(request: Request<Incoming>, state: &State) -> hyper::Result<Response<Empty<Bytes>>> {
    if request.uri().path().starts_with(HANG) {
        match std::future::pending::<Infallible>().await {}
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    record(state, &head.headers, body);
    let delay = state.delay_ms.load(Relaxed);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::from_u16(state.status.load(Relaxed)).expect("a valid status");
    Ok(response)
}

fn record(state: &State, headers: &HeaderMap, body: Bytes) {
    (state.watch)(headers, &body);
    if state.count.fetch_add(1, Relaxed) == 0 {
        *state.sample.lock().expect("no holder panics") = Some(body);
    }
}
