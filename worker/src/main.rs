//! `hookyard-worker`: does the work that APIs elsewhere accept, and serves the dashboard.

use std::process::ExitCode;

use anyhow::ensure;
use migration::Migrator;
use platform::{
    config::{Config, EXIT_CODE, Role, environment},
    context::Context,
    descriptors,
    supervisor::{run_program, run_until_signal},
    telemetry::{Telemetry, init_logging, tell_notices},
};
use sea_orm_migration::MigratorTrait;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run_program(start())
}

async fn start() -> ExitCode {
    let config = match Config::load(Role::Worker, environment) {
        Ok(config) => config,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(EXIT_CODE);
        }
    };
    serve(config).await.unwrap_or_else(|error| {
        eprintln!("hookyard-worker: {error:#}");
        ExitCode::FAILURE
    })
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let _logging = init_logging(&config.log_level, config.log_format)?;
    tell_notices(&config.notices);
    descriptors::prepare(&config);
    let patience = config.shutdown_timeout;
    let context = Context::connect(config, Telemetry::install()?).await?;
    let missing = Migrator::get_pending_migrations(context.database.writer()).await?.len();
    ensure!(
        missing == 0,
        "the database is behind (migrations missing: {missing}): run `hookyard migrate up`"
    );
    let mut services = worker::services(&context, "worker")?;
    services.extend(worker::dashboard(&context));
    services.push(context.telemetry.upkeep());
    Ok(run_until_signal(services, patience).await)
}
