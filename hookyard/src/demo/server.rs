//! The all-in-one process on free ports and in a temporary directory. Reads no environment: it has fixed settings.

use std::{
    collections::HashMap,
    fs::File,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Mutex,
};

use anyhow::{Context as _, anyhow};
use platform::{
    config::{Config, Role},
    context::Context,
    supervisor::{Failed, Service, Supervisor},
    telemetry::Telemetry,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::migrate::{self, Direction};

use super::notified::{CHAT, TOKEN};

/// The retry schedule, shortened so that the demo does not wait.
pub(super) const RETRY_SCHEDULE: &str = "300ms,600ms,1s";
const LOOPBACK: [u8; 4] = [127, 0, 0, 1];
const LOG: &str = "hookyard.log";

/// The running process.
pub(super) struct Server {
    /// The URL of the API.
    pub(super) url: String,
    /// The URL of the dashboard.
    pub(super) dashboard: String,
    /// The resources that its services share.
    pub(super) context: Context,
    folder: TempDir,
    stop: CancellationToken,
    running: JoinHandle<Result<(), Failed>>,
}

impl Server {
    /// Starts it with the Bot API at `bot_api`. Logs to a file, so that log lines don't appear in the transcript.
    pub(super) async fn open(bot_api: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("hookyard-demo-").tempdir()?;
        log_to(&folder.path().join(LOG))?;
        let listeners = api::Listeners::bind(&[SocketAddr::from((LOOPBACK, 0))]).await?;
        let pages = TcpListener::bind((std::net::Ipv4Addr::from(LOOPBACK), 0))?;
        let address = *listeners.addresses().first().context("the API has no address")?;
        let config = config(folder.path(), [address, pages.local_addr()?], bot_api)?;
        let (shutdown_timeout, database) = (config.shutdown_timeout, config.database_url.clone());
        let (url, dashboard) = (format!("http://{address}"), format!("http://{}", config.dashboard_addr));

        let context = Context::connect(config, Telemetry::install()?).await?;
        migrate::run(&context.database, &database, Direction::Up).await?;
        let services = services(&context, listeners, pages)?;
        let stop = CancellationToken::new();
        let running = tokio::spawn(Supervisor::run(services, stop.clone(), shutdown_timeout));
        Ok(Self { url, dashboard, context, folder, stop, running })
    }

    /// Returns its data directory.
    pub(super) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of its log.
    pub(super) fn log(&self) -> PathBuf {
        self.dir().join(LOG)
    }

    /// Checks that all services still run.
    pub(super) async fn check(&mut self) -> anyhow::Result<()> {
        if self.running.is_finished() { Err(self.wait_for_end().await) } else { Ok(()) }
    }

    /// Waits until it ends without being asked to, and returns the reason.
    pub(super) async fn wait_for_end(&mut self) -> anyhow::Error {
        match (&mut self.running).await {
            Ok(Ok(())) => anyhow!("the server stopped unexpectedly"),
            Ok(Err(failed)) => failed.into(),
            Err(broken) => broken.into(),
        }
    }

    /// Stops in order and removes the directory.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.running.await??;
        self.context.database.close().await;
        self.folder.close().context("the temporary directory can't be removed")
    }

    /// Stops as far as possible and keeps the directory.
    pub(super) async fn stop_and_keep_files(self) -> PathBuf {
        self.stop.cancel();
        if !self.running.is_finished() {
            // Another error was reported already.
            let _ = self.running.await;
        }
        self.folder.keep()
    }
}

fn config(folder: &Path, [api, dashboard]: [SocketAddr; 2], bot_api: &str) -> anyhow::Result<Config> {
    let settings: HashMap<&str, String> = HashMap::from([
        ("DATA_DIR", folder.display().to_string()),
        ("API_ADDR", api.to_string()),
        ("DASHBOARD_ADDR", dashboard.to_string()),
        ("RETRY_SCHEDULE", RETRY_SCHEDULE.to_owned()),
        ("SHUTDOWN_TIMEOUT", "10s".to_owned()),
        ("TELEGRAM_BOT_TOKEN", TOKEN.to_owned()),
        ("TELEGRAM_CHAT_ID", CHAT.to_owned()),
        ("TELEGRAM_API_URL", bot_api.to_owned()),
    ]);
    Ok(Config::load(Role::AllInOne, |name| settings.get(name).cloned())?)
}

/// Returns the services of `hookyard serve`, on sockets that are bound already.
fn services(
    context: &Context,
    listeners: api::Listeners,
    pages: TcpListener,
) -> anyhow::Result<Vec<Service>> {
    let mut services = api::services_on(context, listeners);
    services.extend(worker::services(context, "hookyard")?);
    services.extend(worker::dashboard_on(context, pages));
    services.push(context.storage.clean_up());
    services.push(context.telemetry.upkeep());
    Ok(services)
}

fn log_to(path: &Path) -> anyhow::Result<()> {
    let file = Mutex::new(File::create(path)?);
    tracing_subscriber::fmt()
        .with_writer(file)
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .try_init()
        .map_err(|error| anyhow!("{error}"))
}
