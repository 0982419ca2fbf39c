//! `hookyard serve`: API, worker and dashboard in one process.

use std::process::ExitCode;

use platform::{
    config::{Config, Role},
    context::Context,
    database::DatabaseUrl,
    supervisor::{self, Service},
};
use tracing::info;

use crate::{
    instance_lock::InstanceLock,
    migrate::{self, Direction},
};

/// Serves until a signal.
pub async fn serve() -> ExitCode {
    // Held until the process has stopped.
    let mut instance = None;
    let start = async |context: &Context| {
        instance = prepare(context).await?;
        greet(&context.config);
        services(context)
    };
    supervisor::serve("hookyard", Role::AllInOne, start).await
}

/// Brings the schema up to date, and releases the leases that a process that died had taken.
///
/// # Errors
/// When a migration fails, or another process uses the same SQLite file.
async fn prepare(context: &Context) -> anyhow::Result<Option<InstanceLock>> {
    let url = &context.config.database_url;
    let instance = match url {
        DatabaseUrl::Sqlite(path) => Some(InstanceLock::lock(path)?),
        DatabaseUrl::Postgres(_) => None,
    };
    migrate::run(&context.database, url, Direction::Up).await?;
    let released = entity::lease::release_all(&context.database).await?;
    if released > 0 {
        info!(released, "leases of a former process were released");
    }
    Ok(instance)
}

/// Every service of the process, in the order in which they stop.
///
/// # Errors
/// When the HTTP client can't be built.
pub fn services(context: &Context) -> anyhow::Result<Vec<Service>> {
    let mut worker = worker::services(context, "hookyard")?.into_iter();
    // The worker first: from its stop on nothing is claimed, while the API still answers what it has.
    let mut services: Vec<Service> = worker.next().into_iter().collect();
    services.extend(api::services(context));
    services.extend(worker);
    services.extend(worker::dashboard(context));
    services.push(context.storage.clean_up());
    services.push(context.telemetry.upkeep());
    services.push(context.database.upkeep());
    Ok(services)
}

fn greet(config: &Config) {
    for address in &config.api_addrs {
        info!("API        http://{address}");
    }
    info!("dashboard  http://{}", config.dashboard_addr);
}
