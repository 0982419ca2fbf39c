//! Starting a [`TestApp`]: settings, database, queue, and the API on a free port. No worker runs by itself.

use std::{collections::HashMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use platform::{
    clock::Clock,
    config::{Config, Role},
    context::Context,
    queue::Queue,
    supervisor::{Service, Supervisor},
    telemetry::Telemetry,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::TestApp;
use crate::database::{Throwaway, redis_url};

/// Which databases and queues a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// SQLite and a queue in memory.
    Embedded,
    /// Postgres and Redis.
    Cluster,
}

impl TestApp {
    /// An app with default settings.
    ///
    /// # Panics
    /// When it can't be started; tests do not go on without it.
    pub async fn start(shape: Shape) -> Self {
        Self::start_with(shape, &[]).await
    }

    /// An app with these settings besides its own.
    ///
    /// # Panics
    /// When it can't be started.
    pub async fn start_with(shape: Shape, settings: &[(&str, &str)]) -> Self {
        Self::try_start(shape, settings).await.expect("a test app starts")
    }

    async fn try_start(shape: Shape, settings: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = match shape {
            Shape::Embedded => Throwaway::sqlite(folder.path()).await?,
            Shape::Cluster => Throwaway::postgres().await?,
        };
        let config = config(folder.path(), &database.url, settings)?;
        let mut context = Context::connect(config, Telemetry::for_tests()).await?;
        if shape == Shape::Cluster {
            context.queue =
                Queue::redis_in(&redis_url()?, &format!("test-{}", Uuid::now_v7().simple())).await?;
        }
        let listeners = api::Listeners::bind(&[SocketAddr::from(([127, 0, 0, 1], 0))]).await?;
        let base = format!("http://{}", listeners.addresses()[0]);
        point_to(&mut context, &base)?;
        // What is accepted is claimed by `drain`; a worker that is started resumes it.
        context.queue.pause();
        let (accept, mut services) = api::accept::Accept::new(&context);
        services.extend(api::services_on(&context, listeners));
        let stop = CancellationToken::new();
        Ok(Self {
            clock: Clock::clone(&context.clock),
            running: tokio::spawn(run(services, stop.clone())),
            http: client()?,
            context,
            base,
            accept,
            stop,
            _database: database,
            _folder: folder,
        })
    }
}

/// A client for the app. reqwest is built without a TLS provider of its own.
fn client() -> Result<reqwest::Client> {
    // Already installed by an earlier app of this process: just as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

fn config(folder: &Path, database_url: &str, more: &[(&str, &str)]) -> Result<Config> {
    let data = folder.join("data").display().to_string();
    let own =
        [("DATA_DIR", data.as_str()), ("DATABASE_URL", database_url), ("WEBHOOK_SECRET", "mysecretkey")];
    let settings: HashMap<&str, &str> = own.into_iter().chain(more.iter().copied()).collect();
    Ok(Config::load(Role::AllInOne, |name| settings.get(name).map(|value| (*value).to_owned()))?)
}

/// Links in events lead to where the API really listens.
fn point_to(context: &mut Context, base: &str) -> Result<()> {
    let mut config = Config::clone(&context.config);
    config.public_url = base.parse()?;
    context.config = Arc::new(config);
    Ok(())
}

async fn run(services: Vec<Service>, stop: CancellationToken) {
    let patience = Duration::from_secs(5);
    if let Err(failed) = Supervisor::run(services, stop, patience).await {
        panic!("a service of the test app failed: {failed}");
    }
}
