//! Starts a program with the given settings and no others.

use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::Running;

/// A program to start, and how. May be started repeatedly; the log is appended to.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    name: String,
    folder: PathBuf,
    arguments: Vec<String>,
    settings: BTreeMap<String, String>,
}

/// The exit of a program that ended on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output and error.
    pub output: String,
}

impl Launch {
    /// Prepares a program that runs in `folder` and logs there under `name`.
    #[must_use]
    pub fn new(program: &Path, folder: &Path, name: &str) -> Self {
        Self {
            program: program.to_owned(),
            name: name.to_owned(),
            folder: folder.to_owned(),
            arguments: vec![],
            settings: BTreeMap::new(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets an environment variable, replacing one of the same name.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be run.
    #[must_use]
    pub fn start(&self) -> Running {
        Running::new(self.name.clone(), self.log_file(), self.spawn())
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it does not end within `within`.
    pub async fn run(&self, within: Duration) -> Ended {
        let mut running = self.start();
        let status = running.wait_exit(within).await;
        Ended { code: status.code(), output: running.log() }
    }

    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.log_file()).expect("a log");
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder);
        command.env_clear().env("RUST_BACKTRACE", "1").envs(&self.settings);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a handle")).stderr(log);
        // Of its own group: Ctrl-C at the terminal is for the test, which ends it.
        command.process_group(0);
        command.spawn().unwrap_or_else(|error| panic!("{} cannot be run: {error}", self.program.display()))
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }
}
