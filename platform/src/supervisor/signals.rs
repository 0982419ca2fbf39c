//! SIGTERM and SIGINT: the first starts an orderly shutdown, the second ends the process at once.

use std::{io, process::ExitCode, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tokio_util::sync::CancellationToken;

use super::{run::Supervisor, service::Service};

/// A signal that asks a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: the service manager stops the process.
    Terminate,
}

impl Signal {
    /// Returns the conventional exit code: 130 or 143.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// The state of the signal handlers of this process.
pub struct Signals {
    /// Cancelled by the first signal.
    pub stop: CancellationToken,
    /// Receives the second signal.
    pub second: oneshot::Receiver<Signal>,
}

/// Installs handlers for SIGTERM and SIGINT.
///
/// # Errors
/// When the system refuses a handler.
pub fn stop_on_signals() -> io::Result<Signals> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut next = async move || {
        tokio::select! {
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
        }
    };
    let (tell, second) = oneshot::channel();
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        let first = next().await;
        tracing::info!(signal = ?first, "stopping; a second signal ends at once");
        asked.cancel();
        // The receiver is gone when the process ends before a second signal.
        let _ = tell.send(next().await);
    });
    Ok(Signals { stop, second })
}

/// Runs the services of a process until a signal or a failure, logs a failure, and returns the exit code for `main`:
/// 0 stopped in order, 1 failed, 130 or 143 after a second signal (services are not stopped).
pub async fn run_until_signal(services: Vec<Service>, shutdown_timeout: Duration) -> ExitCode {
    let signals = match stop_on_signals() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!(%error, "cannot listen for signals");
            return ExitCode::FAILURE;
        }
    };
    tokio::select! {
        ended = Supervisor::run(services, signals.stop, shutdown_timeout) => match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(failed) => {
                tracing::error!(error = %failed, "ended");
                ExitCode::FAILURE
            }
        },
        Ok(second) = signals.second => ExitCode::from(second.exit_code()),
    }
}
