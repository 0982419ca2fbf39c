//! The one client that sends to the outside: pooled connections, no redirects, no proxy, behind the guard.
//! Knows HTTP and deadlines; what an answer means is the channel's to say.

mod failure;
pub(crate) mod timings;
mod tls;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::delivery::{ErrorClass, RESPONSE_BODY_KEPT};
use http::{HeaderMap, Method, StatusCode};
use reqwest::{Client, Request, Response, redirect};
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

pub use failure::Failure;

use crate::{guard::Guard, report::Timing};
use timings::{TimedConnect, Timings};

/// How we introduce ourselves.
pub const USER_AGENT: &str = concat!("Hookyard/", env!("CARGO_PKG_VERSION"));
/// How long resolving, connecting and TLS may take together, unless an option says otherwise.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept. Below what common servers and balancers keep, so that they rarely hang up first.
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Most idle connections kept to one host, unless an option says otherwise. With fewer than there are sends under way at once,
/// connections are made and closed for each of them.
pub const POOL_MAX_IDLE_PER_HOST: usize = 1_024;
/// HTTP/2 connections in use are pinged this often; one that is silent for as long is given up.
const H2_PING: Duration = Duration::from_secs(10);
/// Largest head of an HTTP/2 answer, in bytes; HTTP/1 has the client's own bounds (100 headers, about 400 KiB).
const H2_MAX_HEAD: u32 = 128 * 1_024;

/// How the client is set up.
#[derive(Clone, Debug)]
pub struct SenderOptions {
    /// Resolving, connecting and TLS together: [`CONNECT_TIMEOUT`] by default.
    pub connect_timeout: Duration,
    /// Idle connections kept to one host: [`POOL_MAX_IDLE_PER_HOST`] by default.
    pub max_idle_per_host: usize,
    /// Certificates trusted besides the system's roots; none by default.
    pub extra_roots: Vec<CertificateDer<'static>>,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self {
            connect_timeout: CONNECT_TIMEOUT,
            max_idle_per_host: POOL_MAX_IDLE_PER_HOST,
            extra_roots: Vec::new(),
        }
    }
}

/// The client can't be built.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// An extra root is not a certificate, or TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP client refuses its settings.
    #[error("the HTTP client can't be built: {0}")]
    Client(#[from] reqwest::Error),
}

/// Sends requests, one connection pool for all of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    guard: Guard,
}

/// One request and what came of it.
#[derive(Debug)]
pub struct Exchange {
    /// The head of an answer and the beginning of its body, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// How long it took.
    pub timing: Timing,
}

/// The head of an answer, and at most [`RESPONSE_BODY_KEPT`] bytes of its body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The beginning of the body: what of it arrived within the deadline.
    pub body: Bytes,
}

impl Outbound {
    /// A client behind `guard`.
    ///
    /// # Errors
    /// When an extra root is not a certificate.
    pub fn new(guard: Guard, options: &SenderOptions) -> Result<Self, OutboundError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client_config(&options.extra_roots)?)
            .dns_resolver(guard.clone())
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(options.connect_timeout)
            .connector_layer(TimedConnect)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(options.max_idle_per_host)
            .http2_keep_alive_interval(H2_PING)
            .http2_keep_alive_timeout(H2_PING)
            .http2_max_header_list_size(H2_MAX_HEAD)
            .build()?;
        Ok(Self { client, guard })
    }

    /// Posts `body` once, and reads the answer up to its cap. The client tries again by itself only where the receiver
    /// can't have seen the request: a kept connection that was closed before anything was written, or HTTP/2's word that
    /// it was not processed. `deadline` covers all of it; when it passes after the head
    /// of an answer has arrived, the answer counts, with what of its body is there.
    pub async fn post(&self, url: Url, headers: HeaderMap, body: Bytes, deadline: Duration) -> Exchange {
        // Literals never come to the resolver.
        if let Err(refusal) = self.guard.check_literal(&url) {
            return Exchange { answer: Err(refusal.into()), timing: Timing::default() };
        }
        let to_v6 = matches!(url.host(), Some(Host::Ipv6(_)));
        let mut request = Request::new(Method::POST, url);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(body.into());
        Timings::scope(self.exchange(request, deadline, to_v6)).await
    }

    async fn exchange(&self, request: Request, deadline: Duration, to_v6: bool) -> Exchange {
        let start = Instant::now();
        let until = start + deadline;
        let mut first_byte = None;
        let answer = match timeout_at(until, self.client.execute(request)).await {
            Ok(Ok(response)) => {
                first_byte = Some(start.elapsed());
                Ok(read(response, until).await)
            }
            Ok(Err(error)) => Err(failure(&error, to_v6)),
            Err(_) => Err(Failure::new(ErrorClass::Timeout, "no answer within the deadline")),
        };
        let marks = Timings::current();
        let timing =
            Timing { resolve: marks.resolve(), connect: marks.connect(), first_byte, total: start.elapsed() };
        Exchange { answer, timing }
    }
}

fn failure(error: &reqwest::Error, to_v6: bool) -> Failure {
    let marks = Timings::current();
    Failure::of(error, marks.is_resolving(), to_v6 || marks.is_only_v6())
}

async fn read(mut response: Response, until: Instant) -> Answer {
    let headers = std::mem::take(response.headers_mut());
    Answer { status: response.status(), headers, body: read_body(&mut response, until).await }
}

/// Reads to the end or one byte past the cap, so that a connection whose answer fits goes back to the pool.
async fn read_body(response: &mut Response, until: Instant) -> Bytes {
    let mut body = Collected::default();
    // An answer that breaks off or stalls is still an answer: its status has arrived.
    while body.len() <= RESPONSE_BODY_KEPT {
        match timeout_at(until, response.chunk()).await {
            Ok(Ok(Some(chunk))) => body.push(chunk),
            Ok(Ok(None) | Err(_)) | Err(_) => break,
        }
    }
    body.first(RESPONSE_BODY_KEPT)
}

/// The chunks of a body; a body of one chunk, the usual case, is not copied.
#[derive(Default)]
struct Collected {
    first: Bytes,
    more: BytesMut,
}

impl Collected {
    fn len(&self) -> usize {
        self.first.len().max(self.more.len())
    }

    fn push(&mut self, chunk: Bytes) {
        if self.len() == 0 {
            self.first = chunk;
            return;
        }
        if self.more.is_empty() {
            self.more.extend_from_slice(&self.first);
        }
        self.more.extend_from_slice(&chunk);
    }

    fn first(self, bytes: usize) -> Bytes {
        let mut body = if self.more.is_empty() { self.first } else { self.more.freeze() };
        body.truncate(bytes);
        body
    }
}
