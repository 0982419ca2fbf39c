//! A Redis for tests: the one in `TEST_REDIS_URL`, or a `redis-server` of the test's own on a free port. A test that
//! finds neither fails and says so.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use redis::{Client, aio::MultiplexedConnection};

const START_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A server that ends with the test.
pub struct RedisServer {
    url: String,
    port: u16,
    child: Option<Child>,
}

#[allow(dead_code, reason = "each test binary uses its part")]
impl RedisServer {
    /// A server that the test shares with others, so it must use [`namespace`] and never flush.
    pub async fn any() -> Self {
        match std::env::var("TEST_REDIS_URL") {
            Ok(url) => Self { url, port: 0, child: None },
            Err(_) => Self::own().await,
        }
    }

    /// A server that the test may flush, pause and kill.
    pub async fn own() -> Self {
        let port = free_port();
        let mut server = Self { url: format!("redis://127.0.0.1:{port}"), port, child: None };
        server.start().await;
        server
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts it, empty, on the port it had.
    pub async fn start(&mut self) {
        let child = Command::new("redis-server")
            .args([
                "--port",
                &self.port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("needs TEST_REDIS_URL, or redis-server in the PATH"));
        let (deadline, mut looks) = (Instant::now() + START_WITHIN, tokio::time::interval(LOOK_EVERY));
        while self.try_connect().await.is_none() {
            assert!(Instant::now() < deadline, "redis-server did not answer on port {}", self.port);
            looks.tick().await;
        }
    }

    /// Kills it without a good-bye; what it held is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("the server is our child");
            child.wait().expect("the server is our child");
        }
    }

    /// Stops its process: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets a paused one go on.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// A connection for the test itself.
    pub async fn connection(&self) -> MultiplexedConnection {
        self.try_connect().await.expect("the server answers")
    }

    async fn try_connect(&self) -> Option<MultiplexedConnection> {
        let client = Client::open(self.url()).expect("a valid address");
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        redis::cmd("PING").exec_async(&mut connection).await.ok()?;
        Some(connection)
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().expect("a server of its own").id();
        kill(Pid::from_raw(id.cast_signed()), signal).expect("the server is our child");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A namespace that no other test has.
pub fn namespace() -> String {
    format!("test-{}", uuid::Uuid::now_v7().simple())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
