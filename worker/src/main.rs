//! `hookyard-worker`: does the work that APIs elsewhere accept, and serves the dashboard.

use std::process::ExitCode;

use platform::{
    config::Role,
    context::Context,
    supervisor::{BoxError, Service, run_program, serve},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run_program(serve("hookyard-worker", Role::Worker, services))
}

async fn services(context: &Context) -> Result<Vec<Service>, BoxError> {
    migration::ensure_applied(context.database.writer()).await?;
    let mut services = worker::services(context, "worker")?;
    services.extend(worker::dashboard(context));
    services.push(context.telemetry.upkeep());
    Ok(services)
}
