//! `hookyard-api`: the HTTP APIs, beside workers elsewhere.

use std::process::ExitCode;

use platform::{
    config::Role,
    context::Context,
    supervisor::{BoxError, Service, run_program, serve},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run_program(serve("hookyard-api", Role::Api, services))
}

async fn services(context: &Context) -> Result<Vec<Service>, BoxError> {
    migration::ensure_applied(context.database.writer()).await?;
    let mut services = api::services(context);
    services.push(context.storage.clean_up());
    services.push(context.telemetry.upkeep());
    Ok(services)
}
