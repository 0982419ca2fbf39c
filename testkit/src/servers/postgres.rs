//! A separate Postgres server for one test.

use std::{
    fs::{File, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::sys::signal::Signal;
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use super::{free_port, programs};
use crate::{process::send_signal, wait::until};

const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(20);
/// Attempts to find a port: another test may take the free one first.
const START_TRIES: usize = 5;

/// The durability of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// Without fsync and with little memory: it survives being killed, not a crash of the machine.
    Fast,
    /// As in production, and as `docker-compose.yml` has it: every commit reaches the disk, pages are written whole, 256 MB of
    /// buffers, 4 GB of WAL between checkpoints.
    Durable,
}

impl Care {
    const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Fast => &["shared_buffers=32MB", "fsync=off", "full_page_writes=off"],
            Self::Durable => &["shared_buffers=256MB", "max_wal_size=4GB", "fsync=on", "full_page_writes=on"],
        }
    }
}

/// A server that stops with the test.
pub struct OwnPostgres {
    folder: TempDir,
    port: u16,
    care: Care,
    child: Option<Child>,
}

impl OwnPostgres {
    /// Makes a cluster for tests and starts it. Its one database is empty.
    ///
    /// # Panics
    /// When there is no Postgres, or it does not start.
    pub async fn start() -> Self {
        Self::start_with(Care::Fast).await
    }

    /// Makes a cluster that treats its data so, and starts it. Its one database is empty.
    ///
    /// # Panics
    /// When there is no Postgres, or it does not start.
    pub async fn start_with(care: Care) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // The user that Postgres runs as passes through.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).expect("it is ours");
        let mut this = Self { folder, port: 0, care, child: None };
        this.make_cluster();
        for _ in 0..START_TRIES {
            this.port = free_port();
            if this.try_start().await {
                return this;
            }
        }
        panic!("Postgres did not start:\n{}", this.log());
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://hookyard@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it at once (`immediate`): connections break, the next start recovers from the log.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop_hard(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        send_signal(child.id(), Signal::SIGQUIT);
        until("Postgres ends", STOP_WITHIN, async || child.try_wait().expect("it is our child")).await;
    }

    /// `kill -9` of every process of it: the next start recovers from the log.
    ///
    /// # Panics
    /// Never: it is our child.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // The parent first: it would start its children again.
        let backends = children(child.id());
        child.kill().expect("it is our child");
        backends.into_iter().for_each(|backend| send_signal(backend, Signal::SIGKILL));
        child.wait().expect("it is our child");
    }

    /// Its parent process and those of its connections; none while it is stopped.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let parent = self.child.as_ref().map(Child::id);
        parent.into_iter().flat_map(|id| [vec![id], children(id)].concat()).collect()
    }

    /// Starts it again on its port, with its data.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        assert!(self.try_start().await, "Postgres did not start again:\n{}", self.log());
    }

    /// Stops every process of it: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal_all(Signal::SIGSTOP);
    }

    /// Lets a paused one go on.
    pub fn resume(&self) {
        self.signal_all(Signal::SIGCONT);
    }

    fn make_cluster(&self) {
        let data = self.data();
        std::fs::create_dir(&data).expect("the folder is new");
        if let Some((user, group)) = unprivileged() {
            chown(&data, Some(user), Some(group)).expect("root may");
        }
        let done = self
            .command("initdb")
            .arg("--pgdata")
            .arg(&data)
            .args(["--username=hookyard", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .status()
            .expect("initdb can be run");
        assert!(done.success(), "initdb failed:\n{}", self.log());
    }

    async fn try_start(&mut self) -> bool {
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()])
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                "max_connections=200",
            ])
            .args(self.care.settings().iter().flat_map(|setting| ["-c", setting]))
            .spawn()
            .expect("postgres can be run");
        self.child = Some(child);
        let url = self.url();
        until("Postgres answers", START_WITHIN, async || {
            let child = self.child.as_mut().expect("just started");
            if child.try_wait().expect("it is our child").is_some() {
                return Some(false);
            }
            answers(&url).await.then_some(true)
        })
        .await
    }

    fn command(&self, program: &str) -> Command {
        let log = File::options().create(true).append(true).open(self.log_file()).expect("a log");
        let mut command = Command::new(programs::postgres(program));
        command.current_dir("/").stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a handle")).stderr(log);
        // Of its own group: Ctrl-C at the terminal is for the test, which may still need it.
        command.process_group(0);
        if let Some((user, group)) = unprivileged() {
            command.uid(user).gid(group);
        }
        command
    }

    fn signal_all(&self, signal: Signal) {
        let parent = self.child.as_ref().expect("it runs").id();
        send_signal(parent, signal);
        children(parent).into_iter().for_each(|child| send_signal(child, signal));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.resume();
        }
        let Some(mut child) = self.child.take() else {
            return;
        };
        send_signal(child.id(), Signal::SIGQUIT);
        let _ = child.wait();
    }
}

async fn answers(url: &str) -> bool {
    let asked = async { PgConnection::connect(url).await?.execute("SELECT 1").await };
    asked.await.is_ok()
}

/// The processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).collect()
}

/// `/proc/<id>/stat` is `id (name) state parent …`, and a name may hold anything.
fn parent_of(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Returns the user and group to run as: Postgres refuses to run as root, so root uses an unprivileged system account.
fn unprivileged() -> Option<(u32, u32)> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|of_us| of_us.uid() == 0);
    let users = is_root.then(|| std::fs::read_to_string("/etc/passwd").unwrap_or_default())?;
    let ids_of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids_of("postgres").or_else(|| ids_of("nobody"))
}
