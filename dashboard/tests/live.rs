//! The live stream over a real listener.

mod harness;

use std::{net::SocketAddr, time::Duration};

use harness::{TestDashboard, listener, rows};
use platform::supervisor::Supervisor;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Longest wait for anything; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    app: TestDashboard,
    address: SocketAddr,
    stop: CancellationToken,
    process: JoinHandle<Result<(), platform::supervisor::Failed>>,
}

async fn start() -> Running {
    let app = TestDashboard::open().await;
    let (listener, address) = listener();
    let stop = CancellationToken::new();
    let services = dashboard::services_on(&app.context, listener);
    let process = tokio::spawn(Supervisor::run(services, stop.clone(), Duration::from_secs(10)));
    Running { app, address, stop, process }
}

struct Stream {
    lines: BufReader<TcpStream>,
    head: String,
}

impl Stream {
    async fn open(address: SocketAddr) -> Self {
        let mut socket = TcpStream::connect(address).await.expect("a connection");
        let request = format!("GET /live HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\r\n");
        socket.write_all(request.as_bytes()).await.expect("a request");
        let mut stream = Self { lines: BufReader::new(socket), head: String::new() };
        loop {
            match stream.line().await.as_str() {
                "" => return stream,
                line => stream.head += &format!("{}\n", line.to_lowercase()),
            }
        }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(PATIENCE, self.lines.read_line(&mut line)).await.expect("in time").expect("a line");
        line.trim_end().to_owned()
    }

    async fn until(&mut self, wanted: &str) {
        while self.line().await != wanted {}
    }

    async fn ends(mut self) {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.lines.read_to_end(&mut rest)).await.expect("in time").expect("an end");
    }
}

#[tokio::test]
async fn a_delivery_that_comes_in_is_announced_to_everybody() {
    let running = start().await;
    let mut streams = [Stream::open(running.address).await, Stream::open(running.address).await];
    assert!(streams[0].head.contains("content-type: text/event-stream"), "{}", streams[0].head);
    assert!(streams[0].head.contains("x-accel-buffering: no"), "{}", streams[0].head);
    for stream in &mut streams {
        stream.until("event: deliveries").await;
        stream.until("event: rates").await;
    }
    let (db, now) = (running.app.db(), running.app.context.clock.now());
    let endpoint = rows::endpoint("https://example.com/hook", now);
    rows::insert(db, rows::lane(&endpoint)).await.expect("a lane");
    rows::insert(db, endpoint.clone()).await.expect("an endpoint");
    let event = rows::event("upload file", "{}", now);
    rows::insert(db, event.clone()).await.expect("an event");
    rows::insert(db, rows::delivery(&event, &endpoint)).await.expect("a delivery");
    for stream in &mut streams {
        stream.until("event: counters").await;
        stream.until("event: deliveries").await;
    }
    running.stop.cancel();
    running.process.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn a_stop_ends_the_streams_and_then_the_listener() {
    let running = start().await;
    let stream = Stream::open(running.address).await;
    running.stop.cancel();
    stream.ends().await;
    let ended = timeout(PATIENCE, running.process).await.expect("in time");
    ended.expect("no panic").expect("a clean end");
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused_and_places_come_free() {
    let running = start().await;
    let mut streams = Vec::new();
    for _ in 0..256 {
        streams.push(Stream::open(running.address).await);
    }
    let refused = Stream::open(running.address).await;
    assert!(refused.head.starts_with("http/1.1 503"), "{}", refused.head);
    running.stop.cancel();
    drop((streams, refused));
    running.process.await.expect("no panic").expect("a clean end");
}

#[tokio::test]
async fn an_address_that_is_taken_ends_the_process_with_a_reason() {
    let (taken, address) = listener();
    let app = TestDashboard::with(&[("DASHBOARD_ADDR", &address.to_string())]).await;
    let services = dashboard::services(&app.context);
    let ended = Supervisor::run(services, CancellationToken::new(), Duration::from_secs(5)).await;
    assert!(ended.expect_err("taken").to_string().contains("dashboard"));
    drop(taken);
}
