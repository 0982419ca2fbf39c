//! A hand-written receiver that can misbehave in any way: it answers with raw bytes, or runs a given function.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// A listening socket; listens until the test's runtime ends.
pub(crate) struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// All values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

impl Receiver {
    /// Reads requests and answers each with these bytes; keeps the connection open.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let log = received.clone();
        let receiver = Self::each(move |mut stream| {
            let (answer, log) = (answer.clone(), log.clone());
            async move {
                while let Some(request) = read_request(&mut stream).await {
                    log.lock().expect("not poisoned").push(request);
                    if stream.write_all(&answer).await.is_err() {
                        break;
                    }
                }
            }
        });
        Self { received, ..receiver.await }
    }

    /// Runs a function for each connection.
    pub(crate) async fn each<F, Fut>(handle: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let connections: Arc<AtomicUsize> = Arc::default();
        let counter = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(handle(stream));
            }
        });
        Self { address, received: Arc::default(), connections }
    }

    pub(crate) fn url(&self) -> Url {
        self.url_at("http", "127.0.0.1")
    }

    pub(crate) fn url_at(&self, scheme: &str, host: &str) -> Url {
        format!("{scheme}://{host}:{}/hook?a=b#fragment", self.address.port()).parse().expect("a URL")
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("not poisoned").clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// An answer with this status line and body.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Reads one request with a `content-length` body, or `None` when the connection ends.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let body = bytes.split_off(head_end);
    let mut request = Received { head: String::from_utf8(bytes).expect("ASCII head"), body };
    let length = request.header("content-length").first().map_or(0, |text| text.parse().expect("a length"));
    while request.body.len() < length {
        if stream.read_buf(&mut request.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(request)
}
