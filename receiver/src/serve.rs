//! The HTTP server. Built on hyper, because a connection must be able to end without a response.

use std::{
    convert::Infallible,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Answer, Call, recorder::Recorder};

/// Largest body that is read; a larger one gets 413.
pub const MAX_BODY_BYTES: usize = 4 * 1_024 * 1_024;
/// Pause after a failed accept, most likely because no file descriptor is free.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    recorder: Arc<Recorder>,
    connections: TaskTracker,
    stop: CancellationToken,
) {
    while let Some(taken) = stop.run_until_cancelled(listener.accept()).await {
        match taken {
            Ok((stream, _)) => {
                drop(connections.spawn(connection(stream, Arc::clone(&recorder), stop.clone())))
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Serves one connection; cut off at `stop` whatever it waits for.
async fn connection(stream: TcpStream, recorder: Arc<Recorder>, stop: CancellationToken) {
    // A socket that refuses an option still works.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|request| answer(request, Arc::clone(&recorder)));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    // Broken connections are the client's concern; a deliberate drop ends here too.
    let _ = stop.run_until_cancelled(served).await;
}

/// Answers one request. An error closes the connection without a response.
async fn answer(request: Request<Incoming>, recorder: Arc<Recorder>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await.ok().map(|body| body.to_bytes());
    let answer = body.as_ref().map_or(Answer::Status(413), |_| recorder.next_answer(head.uri.path()));
    recorder.record(Call {
        method: head.method,
        path: head.uri.path_and_query().map_or_else(|| head.uri.to_string(), ToString::to_string),
        headers: head.headers,
        body: body.unwrap_or_default(),
        at: Instant::now(),
        answered: answer.status(),
    });
    match answer {
        Answer::Status(status) => Ok(response(status, &[], Bytes::new())),
        Answer::StatusWith { status, headers, body } => Ok(response(status, &headers, body)),
        Answer::Delay(wait, status) => {
            tokio::time::sleep(wait).await;
            Ok(response(status, &[], Bytes::new()))
        }
        Answer::Hang => match std::future::pending::<Infallible>().await {},
        Answer::Drop => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

fn response(status: u16, headers: &[(String, String)], body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
