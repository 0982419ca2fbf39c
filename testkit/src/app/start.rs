//! Starts a [`TestApp`]: settings, database, queue, and the API on a free port. No worker is started.

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

use super::{Shape, TestApp};
use crate::database::{Throwaway, redis_url};

impl TestApp {
    /// Starts an app with default settings.
    ///
    /// # Panics
    /// When it can't be started.
    pub async fn start(shape: Shape) -> Self {
        Self::start_with(shape, &[]).await
    }

    /// Starts an app with additional settings.
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
        // `drain` claims accepted work; starting a worker resumes the queue.
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

/// Creates a client for the app. reqwest is built without a TLS provider.
fn client() -> Result<reqwest::Client> {
    // Fails if an earlier app of this process has installed it, which is fine.
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

/// Points links in events to the address that the API listens on.
fn point_to(context: &mut Context, base: &str) -> Result<()> {
    let mut config = Config::clone(&context.config);
    config.public_url = base.parse()?;
    context.config = Arc::new(config);
    Ok(())
}

async fn run(services: Vec<Service>, stop: CancellationToken) {
    let shutdown_timeout = Duration::from_secs(5);
    if let Err(failed) = Supervisor::run(services, stop, shutdown_timeout).await {
        panic!("a service of the test app failed: {failed}");
    }
}
