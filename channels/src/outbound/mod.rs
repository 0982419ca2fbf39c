//! The HTTP client for all channels: pooled connections, no redirects, no proxy, behind the guard.
//! Handles HTTP and deadlines; each channel interprets responses itself.

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

/// The `User-Agent` of every request.
pub const USER_AGENT: &str = concat!("Hookyard/", env!("CARGO_PKG_VERSION"));
/// Default timeout of resolving, connecting and TLS together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept. Below the timeout of common servers and load balancers, so that they rarely close it
/// first.
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Default bound of idle connections per host. With fewer than there are concurrent sends, connections are opened and closed
/// for each send.
pub const POOL_MAX_IDLE_PER_HOST: usize = 1_024;
/// Interval of pings on HTTP/2 connections in use, and the timeout of their replies.
const H2_PING: Duration = Duration::from_secs(10);
/// Largest header list of an HTTP/2 response, in bytes; HTTP/1 has the client's own bounds (100 headers, about 400 KiB).
const H2_MAX_HEAD: u32 = 128 * 1_024;

/// Options of the client.
#[derive(Clone, Debug)]
pub struct SenderOptions {
    /// Timeout of resolving, connecting and TLS together: [`CONNECT_TIMEOUT`] by default.
    pub connect_timeout: Duration,
    /// Idle connections per host: [`POOL_MAX_IDLE_PER_HOST`] by default.
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

/// Sends requests through one connection pool. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    guard: Guard,
}

/// The result of one request.
#[derive(Debug)]
pub struct Exchange {
    /// The head of the response and the beginning of its body, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// How long it took.
    pub timing: Timing,
}

/// The head of a response, and at most [`RESPONSE_BODY_KEPT`] bytes of its body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The beginning of the body, as far as it arrived within the deadline.
    pub body: Bytes,
}

impl Outbound {
    /// Creates a client behind `guard`.
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

    /// Posts `body` once, and reads the response up to its cap. The client retries only when the receiver can't have seen
    /// the request: an idle connection that was closed before anything was written, or an HTTP/2 stream that was refused
    /// unprocessed. `deadline` covers everything; if it passes after the head of the response has arrived, the response
    /// counts, with the part of its body that is there.
    pub async fn post(&self, url: Url, headers: HeaderMap, body: Bytes, deadline: Duration) -> Exchange {
        // Literals never reach the resolver.
        if let Err(refusal) = self.guard.check_literal(&url) {
            return Exchange { answer: Err(refusal.into()), timing: Timing::default() };
        }
        let only_v6 = matches!(url.host(), Some(Host::Ipv6(_)));
        let mut request = Request::new(Method::POST, url);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(body.into());
        Timings::scope(self.exchange(request, deadline, only_v6)).await
    }

    async fn exchange(&self, request: Request, deadline: Duration, only_v6: bool) -> Exchange {
        let start = Instant::now();
        let until = start + deadline;
        let mut first_byte = None;
        let answer = match timeout_at(until, self.client.execute(request)).await {
            Ok(Ok(response)) => {
                first_byte = Some(start.elapsed());
                Ok(read_answer(response, until).await)
            }
            Ok(Err(error)) => Err(failure(&error, only_v6)),
            Err(_) => Err(Failure::new(ErrorClass::Timeout, "no answer within the deadline")),
        };
        let timings = Timings::current();
        let timing = Timing {
            resolve: timings.resolve(),
            connect: timings.connect(),
            first_byte,
            total: start.elapsed(),
        };
        Exchange { answer, timing }
    }
}

fn failure(error: &reqwest::Error, only_v6: bool) -> Failure {
    let timings = Timings::current();
    Failure::from_client_error(error, timings.is_resolving(), only_v6 || timings.is_only_v6())
}

async fn read_answer(mut response: Response, until: Instant) -> Answer {
    let headers = std::mem::take(response.headers_mut());
    Answer { status: response.status(), headers, body: read_body(&mut response, until).await }
}

/// Reads to the end, or just past the cap, so that a connection whose response fits returns to the pool.
async fn read_body(response: &mut Response, until: Instant) -> Bytes {
    let mut body = Collected::default();
    // A body that breaks off or stalls does not matter: the status has arrived.
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
