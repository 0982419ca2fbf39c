//! A Redis of the test's own.

use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::sys::signal::Signal;
use redis::{Client, FromRedisValue};
use tempfile::TempDir;

use super::{free_port, programs};
use crate::{process::send_signal, wait::until};

const START_WITHIN: Duration = Duration::from_secs(30);
/// Ports tried: another test may have taken the free one meanwhile.
const START_TRIES: usize = 5;

/// A server that ends with the test. Keeps nothing on disk.
pub struct OwnRedis {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl OwnRedis {
    /// Starts it, empty.
    ///
    /// # Panics
    /// When there is no Redis, or it does not start.
    pub async fn start() -> Self {
        let mut this =
            Self { folder: tempfile::tempdir().expect("a temporary folder"), port: 0, child: None };
        for _ in 0..START_TRIES {
            this.port = free_port();
            if this.try_start().await {
                return this;
            }
        }
        panic!("Redis did not start");
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it without a good-bye; what it held is gone.
    ///
    /// # Panics
    /// Never: it is our child.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
    }

    /// Its process; none while it is stopped.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts it again on its port, empty.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        assert!(self.try_start().await, "Redis did not start again");
    }

    /// Stops its process: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets a paused one go on.
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Drops everything it holds.
    pub async fn flush(&self) {
        self.ask::<()>(&["FLUSHALL"]).await;
    }

    /// Sends it one command, on a connection of its own.
    ///
    /// # Panics
    /// When it does not answer so.
    pub async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        self.try_ask(command).await.expect("Redis answers")
    }

    async fn try_ask<T: FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut connection = Client::open(self.url())?.get_multiplexed_async_connection().await?;
        let (name, arguments) = words.split_first().expect("a command has a name");
        redis::cmd(name).arg(arguments).query_async(&mut connection).await
    }

    async fn try_start(&mut self) -> bool {
        let child = Command::new(programs::redis_server())
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &self.port.to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .args(["--maxmemory-policy", "noeviction", "--daemonize", "no"])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        self.child = Some(child.expect("redis-server can be run"));
        until("Redis answers", START_WITHIN, async || {
            let child = self.child.as_mut().expect("just started");
            if child.try_wait().expect("it is our child").is_some() {
                return Some(false);
            }
            self.try_ask::<String>(&["PING"]).await.is_ok().then_some(true)
        })
        .await
    }

    fn signal(&self, signal: Signal) {
        send_signal(self.child.as_ref().expect("it runs").id(), signal);
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
