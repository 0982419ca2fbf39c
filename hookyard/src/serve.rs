//! `hookyard serve`: API, worker and dashboard in one process.

use std::process::ExitCode;

use platform::{
    config::{Config, EXIT_CODE, Role, environment},
    context::Context,
    database::DatabaseUrl,
    descriptors,
    supervisor::{Service, run_until_signal},
    telemetry::{Telemetry, init_logging, tell_notices},
};
use tracing::info;

use crate::{
    instance::Instance,
    migrate::{self, Direction},
};

/// Serves until a signal.
///
/// # Errors
/// What kept it from starting.
pub async fn serve() -> anyhow::Result<ExitCode> {
    let config = match Config::load(Role::AllInOne, environment) {
        Ok(config) => config,
        Err(wrong) => {
            eprintln!("{wrong}");
            return Ok(ExitCode::from(EXIT_CODE));
        }
    };
    let _logging = init_logging(&config.log_level, config.log_format)?;
    tell_notices(&config.notices);
    descriptors::prepare(&config);
    let patience = config.shutdown_timeout;
    let telemetry = Telemetry::install()?;
    let (context, _instance) = open(config, telemetry).await?;
    greet(&context.config);
    Ok(run_until_signal(services(&context)?, patience).await)
}

/// Opens everything, brings the schema up, and takes back what a process that died had in hand.
///
/// # Errors
/// When something can't be opened, or another process uses the same SQLite file.
async fn open(config: Config, telemetry: Telemetry) -> anyhow::Result<(Context, Option<Instance>)> {
    let url = config.database_url.clone();
    let context = Context::connect(config, telemetry).await?;
    let instance = match &url {
        DatabaseUrl::Sqlite(path) => Some(Instance::of(path)?),
        DatabaseUrl::Postgres(_) => None,
    };
    migrate::run(&context.database, &url, Direction::Up).await?;
    let freed = worker::claim::free_all(&context).await?;
    if freed > 0 {
        info!(freed, "work that a former process had in hand is due again");
    }
    Ok((context, instance))
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
