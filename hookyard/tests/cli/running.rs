//! A process of ours, with its output read line by line. Killed when dropped.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

use nix::{sys::signal, unistd::Pid};

pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts `hookyard` with these arguments.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// The next line that holds `part`, and nothing of those before it.
    pub fn line_with(&mut self, part: &str) -> String {
        let mut read = Vec::new();
        for line in self.lines.by_ref().map(|line| line.expect("text")) {
            if line.contains(part) {
                return line;
            }
            read.push(line);
        }
        panic!("{part:?} is not in what it printed:\n{}", read.join("\n"));
    }

    /// Presses Ctrl-C; gives how it ended and what else it printed.
    pub fn interrupt(mut self) -> (ExitStatus, String) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        signal::kill(pid, signal::Signal::SIGINT).expect("it runs");
        let rest: Vec<String> = self.lines.by_ref().map(|line| line.expect("text")).collect();
        (self.child.wait().expect("it ends"), rest.join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already, most of the time.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `hookyard` with these arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookyard"));
    command.args(arguments);
    command
}
