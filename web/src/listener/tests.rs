use axum::{Extension, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
    time::timeout,
};

use super::*;
use crate::Peer;

/// Longest wait for anything; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than the buffers of a connection hold.
const BIG: usize = 32 * 1_024 * 1_024;

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

fn bounds() -> Bounds {
    Bounds { connections: 512, head: PATIENCE, write: PATIENCE, buffer: 32 * 1_024 }
}

async fn start(bounds: Bounds) -> Running {
    let listeners = Listeners::bind(&[SocketAddr::from(([127, 0, 0, 1], 0))]).await.expect("a port");
    let address = listeners.addresses()[0];
    let who = async |Extension(Peer(peer)): Extension<Peer>| peer.to_string();
    let router = Router::new()
        .route("/who", get(who))
        .route("/big", get(async || vec![b'x'; BIG]))
        .route("/health/live", get(async || "alive"))
        .route("/metrics", get(async || "counted"));
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(router, listeners, bounds, stop.clone(), || {}));
    Running { address, stop, serving }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// A request that keeps its connection.
    async fn ask(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        stream
    }

    async fn ask_once(&self, path: &str) -> String {
        let mut stream = self.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        read(stream).await
    }

    /// A connection that has a place and keeps it: its answer has begun.
    async fn hold(&self, path: &str) -> TcpStream {
        let stream = self.ask(path).await;
        timeout(PATIENCE, stream.readable()).await.expect("in time").expect("an answer");
        stream
    }
}

async fn read(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    // A reset is as good an end as any.
    let _ = timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an end in time");
    answer
}

#[tokio::test]
async fn requests_carry_the_address_of_the_caller() {
    let running = start(bounds()).await;
    let mut stream = running.connect().await;
    let ours = stream.local_addr().expect("an address").to_string();
    stream.write_all(b"GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.expect("sent");
    assert!(read(stream).await.ends_with(&ours));
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let running = start(Bounds { head: Duration::from_millis(50), ..bounds() }).await;
    read(running.connect().await).await;
    let mut slow = running.connect().await;
    slow.write_all(b"GET /who HTTP/1.1\r\nhost:").await.expect("sent");
    assert!(!read(slow).await.contains(" 200 "));
    let kept = running.ask("/who").await;
    assert!(read(kept).await.contains(" 200 "), "answered, and closed when nothing came after it");
}

#[tokio::test]
async fn one_connection_more_than_fits_waits_for_a_place_and_a_probe_does_not() {
    let running = start(Bounds { connections: 1, ..bounds() }).await;
    let first = running.hold("/who").await;
    let second = running.ask("/who").await;
    for (path, answer) in [("/health/live", "alive"), ("/metrics", "counted")] {
        // Without `connection: close`: a probe's connection ends with its answer here.
        assert!(read(running.ask(path).await).await.ends_with(answer), "{path}");
    }
    let early = timeout(Duration::from_millis(50), second.readable()).await;
    assert!(early.is_err(), "no place, no answer");
    drop(first);
    timeout(PATIENCE, second.readable()).await.expect("a place in time").expect("an answer");
}

#[tokio::test]
async fn a_crowd_that_waits_keeps_no_probe_out() {
    let running = start(Bounds { connections: 1, ..bounds() }).await;
    let _first = running.hold("/who").await;
    let mut crowd = vec![];
    for _ in 0..400 {
        crowd.push(running.connect().await);
    }
    assert!(running.ask_once("/health/live").await.ends_with("alive"));
    let newest = crowd.pop().expect("some");
    drop(newest);
    assert!(running.ask_once("/metrics").await.ends_with("counted"));
}

#[tokio::test]
async fn a_caller_who_does_not_read_loses_the_connection_and_its_place() {
    let running = start(Bounds { connections: 2, write: Duration::from_millis(100), ..bounds() }).await;
    let _stalled = [running.hold("/big").await, running.hold("/big").await];
    assert!(running.ask_once("/who").await.contains(" 200 "), "a place is free again");
}

#[tokio::test]
async fn a_caller_who_waits_for_a_place_too_long_is_let_go() {
    let running = start(Bounds { connections: 1, head: Duration::from_millis(100), ..bounds() }).await;
    let mut kept = running.hold("/who").await;
    let waiting = running.connect().await;
    // The first one keeps its place by asking again and again.
    let ended = async {
        loop {
            kept.write_all(b"GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
            assert!(kept.read(&mut [0; 1_024]).await.expect("answered") > 0);
        }
    };
    tokio::select! {
        answer = read(waiting) => assert_eq!(answer, ""),
        () = ended => unreachable!("it asks on"),
    }
}

#[tokio::test]
async fn a_stop_closes_idle_and_waiting_connections_and_ends() {
    let running = start(Bounds { connections: 1, ..bounds() }).await;
    let idle = running.hold("/who").await;
    let waiting = running.connect().await;
    running.stop.cancel();
    timeout(PATIENCE, running.serving).await.expect("in time").expect("an end");
    assert!(read(idle).await.contains(" 200 "));
    assert_eq!(read(waiting).await, "");
}
