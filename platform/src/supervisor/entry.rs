//! The one entry point of our programs: settings, logging, telemetry, context, services, exit code.

use std::process::ExitCode;

use super::{
    service::{BoxError, Service},
    signals::run_until_signal,
};
use crate::{
    config::{Config, Role, environment},
    context::Context,
    descriptors,
    telemetry::{Telemetry, init_logging, log_notices},
};

/// Serves as `program` until a signal. `services` returns what runs, in the order in which it stops.
///
/// Returns the exit code: 0 stopped in order, 1 could not start or a service failed, 2 wrong settings, all of them on
/// standard error, 130 or 143 after a second signal.
pub async fn serve<E: Into<BoxError>>(
    program: &'static str,
    role: Role,
    services: impl AsyncFnOnce(&Context) -> Result<Vec<Service>, E>,
) -> ExitCode {
    let config = match Config::load(role, environment) {
        Ok(config) => config,
        Err(wrong) => return wrong.report(),
    };
    run(config, services).await.unwrap_or_else(|error| {
        eprintln!("{program}: {}", with_causes(&*error));
        ExitCode::FAILURE
    })
}

async fn run<E: Into<BoxError>>(
    config: Config,
    services: impl AsyncFnOnce(&Context) -> Result<Vec<Service>, E>,
) -> Result<ExitCode, BoxError> {
    let _logging = init_logging(&config.log_level, config.log_format)?;
    log_notices(&config.notices);
    descriptors::prepare(&config);
    let shutdown_timeout = config.shutdown_timeout;
    let context = Context::connect(config, Telemetry::install()?).await?;
    let services = services(&context).await.map_err(Into::into)?;
    Ok(run_until_signal(services, shutdown_timeout).await)
}

/// An error and its causes in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_reported_with_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("the program cannot start")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("the disk is full"));
        assert_eq!(with_causes(&error), "the program cannot start: the disk is full");
    }
}
