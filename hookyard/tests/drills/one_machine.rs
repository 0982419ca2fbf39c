//! The all-in-one process on SQLite, in a folder of its own.

use std::{path::PathBuf, time::Duration};

use tempfile::TempDir;
use testkit::{
    http::Client,
    process::{Launch, Running},
    rows::Rows,
    servers::free_port,
    wait::until,
};

use crate::programs;

/// Longest wait for a process to be ready, on a busy machine.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(30);

/// A machine with a data directory and two free ports.
pub(crate) struct OneMachine {
    folder: TempDir,
    api: u16,
    dashboard: u16,
}

impl OneMachine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, api: free_port(), dashboard: free_port() }
    }

    /// `hookyard serve` with these settings, and the folder's data.
    pub(crate) fn launch(&self, name: &str) -> Launch {
        Launch::new(&programs::hookyard(), self.folder.path(), name)
            .set("DATA_DIR", self.folder.path().join("data").display())
            .set("API_ADDR", format!("127.0.0.1:{}", self.api))
            .set("DASHBOARD_ADDR", format!("127.0.0.1:{}", self.dashboard))
            .set("LOG_FORMAT", "json")
    }

    /// A process that is ready.
    pub(crate) async fn start(&self) -> Running {
        self.start_as(&self.launch("hookyard")).await
    }

    pub(crate) async fn start_as(&self, launch: &Launch) -> Running {
        let mut running = launch.start();
        let client = self.client();
        until("the API is ready", READY_WITHIN, async || {
            assert!(running.ended().is_none(), "it ended at once");
            client.is_ready().await.then_some(())
        })
        .await;
        running
    }

    pub(crate) fn api_port(&self) -> u16 {
        self.api
    }

    pub(crate) fn dashboard_port(&self) -> u16 {
        self.dashboard
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.api))
    }

    pub(crate) fn rows(&self) -> Rows {
        Rows::Sqlite(self.database())
    }

    /// The database as it lies there, copied, so that looking at it repairs nothing.
    pub(crate) fn rows_as_they_lie(&self) -> Rows {
        let copy = self.folder.path().join("copy");
        std::fs::create_dir_all(&copy).expect("the folder is ours");
        for name in ["app.db", "app.db-wal"] {
            let file = self.database().with_file_name(name);
            if file.exists() {
                std::fs::copy(file, copy.join(name)).expect("the folder is ours");
            }
        }
        Rows::Sqlite(copy.join("app.db"))
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("data/app.db")
    }
}
