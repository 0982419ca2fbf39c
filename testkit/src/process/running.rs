//! A running process.

use std::{
    path::PathBuf,
    process::{Child, ExitStatus},
    time::Duration,
};

use super::{Signal, send_signal};
use crate::wait::until;

/// Most warnings and errors of the log that are shown when a test fails.
const LINES_SHOWN: usize = 30;

/// A process of the test; killed when dropped.
pub struct Running {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Running {
    pub(super) const fn new(name: String, log: PathBuf, child: Child) -> Self {
        Self { name, log, child }
    }

    /// Returns the process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        send_signal(self.id(), signal);
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Panics
    /// Never: it is our child.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    /// Waits for the exit and returns its status.
    ///
    /// # Panics
    /// When it does not end within `within`.
    pub async fn wait_exit(&mut self, within: Duration) -> ExitStatus {
        let what = format!("{} ends", self.name);
        until(&what, within, async || self.ended()).await
    }

    /// Returns the exit status, if it has exited.
    ///
    /// # Panics
    /// Never: it is our child.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is our child")
    }

    /// Returns its log, including that of earlier processes of the same name.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Returns the number of log lines that contain `text`.
    #[must_use]
    pub fn lines_with(&self, text: &str) -> usize {
        self.log().lines().filter(|line| line.contains(text)).count()
    }

    /// Returns its peak memory in KiB (`VmHWM`).
    ///
    /// # Panics
    /// When it has ended.
    #[must_use]
    pub fn peak_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it runs");
        line.trim().trim_end_matches("kB").trim().parse().expect("a number")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Most likely exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"level\":\"INFO\"")).collect();
            let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            eprintln!("---- what {} complained of last ----\n{}\n----", self.name, last.join("\n"));
        }
    }
}
