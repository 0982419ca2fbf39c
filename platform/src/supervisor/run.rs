//! The supervisor loop: starts all services, watches them, and stops them one after the other.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    task::{AbortHandle, JoinError},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::service::{BoxError, Service};

/// After the shutdown timeout all services are asked to stop and get the same time again, but at most this.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// Why a process must end with an error.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// A service returned an error.
    #[error("{name} failed: {source}")]
    Error {
        /// The service.
        name: &'static str,
        /// Its error.
        source: BoxError,
    },
    /// A service panicked.
    #[error("{name} panicked: {message}")]
    Panic {
        /// The service.
        name: &'static str,
        /// The panic message.
        message: String,
    },
    /// Services did not end within the shutdown timeout and were aborted.
    #[error("not stopped in time: {}", names.join(", "))]
    Overdue {
        /// The services.
        names: Vec<&'static str>,
    },
}

/// Runs services; see [`Supervisor::run`].
pub struct Supervisor {
    services: Vec<RunningService>,
    ends: FuturesUnordered<End>,
    failed: Option<Failed>,
}

struct RunningService {
    name: &'static str,
    deadline: Option<Duration>,
    stop: CancellationToken,
    abort: AbortHandle,
    running: bool,
}

type End = futures_util::future::BoxFuture<'static, (usize, Result<Result<(), BoxError>, JoinError>)>;

impl Supervisor {
    /// Runs all services until `stop` is cancelled, one of them fails, or all have returned. Then stops them in the
    /// order of the list: each is asked to stop when the one before has returned or missed its deadline. After
    /// `shutdown_timeout` all are asked to stop, and those that still run a second later are aborted.
    ///
    /// # Errors
    /// Returns the first service that failed or panicked, else those that did not stop in time.
    pub async fn run(
        services: Vec<Service>,
        stop: CancellationToken,
        shutdown_timeout: Duration,
    ) -> Result<(), Failed> {
        let mut this = Self { services: Vec::new(), ends: FuturesUnordered::new(), failed: None };
        services.into_iter().for_each(|service| this.start(service));
        stop.run_until_cancelled(this.first_failure()).await;
        this.stop_all(Instant::now() + shutdown_timeout, shutdown_timeout.min(ABORT_GRACE)).await;
        this.failed.map_or(Ok(()), Err)
    }

    fn start(&mut self, service: Service) {
        let (index, stop) = (self.services.len(), CancellationToken::new());
        let task = tokio::spawn((service.run)(stop.clone()));
        let (name, deadline, abort) = (service.name, service.deadline, task.abort_handle());
        self.services.push(RunningService { name, deadline, stop, abort, running: true });
        self.ends.push(Box::pin(async move { (index, task.await) }));
        tracing::debug!(service = name, "started");
    }

    /// Returns when a service has failed, or when all have returned.
    async fn first_failure(&mut self) {
        while self.failed.is_none() && self.next_end().await {}
    }

    /// Waits for the next service to end and records its outcome. Returns false when none is left.
    async fn next_end(&mut self) -> bool {
        let Some((index, end)) = self.ends.next().await else {
            return false;
        };
        let RunningService { name, running, stop, .. } = &mut self.services[index];
        *running = false;
        match failure(name, end) {
            None if stop.is_cancelled() => tracing::debug!(service = name, "stopped"),
            None => tracing::debug!(service = name, "ended"),
            Some(failed) => {
                tracing::error!(service = name, error = %failed, "service failed");
                self.failed.get_or_insert(failed);
            }
        }
        true
    }

    async fn stop_all(&mut self, end: Instant, abort_grace: Duration) {
        tracing::info!("stopping: finishing work in progress");
        for index in 0..self.services.len() {
            let RunningService { name, deadline, stop, running, .. } = &self.services[index];
            stop.cancel();
            if *running {
                tracing::debug!(service = name, "stopping");
            }
            let until = deadline.map_or(end, |deadline| end.min(Instant::now() + deadline));
            if timeout_at(until, self.ended(index)).await.is_err() {
                tracing::warn!(service = self.services[index].name, "still running after its deadline");
            }
        }
        let all = async { while self.next_end().await {} };
        if timeout_at(end + abort_grace, all).await.is_err() {
            self.abort_running();
        }
    }

    async fn ended(&mut self, index: usize) {
        while self.services[index].running && self.next_end().await {}
    }

    fn abort_running(&mut self) {
        let overdue: Vec<&RunningService> =
            self.services.iter().filter(|services| services.running).collect();
        overdue.iter().for_each(|services| services.abort.abort());
        let names: Vec<&str> = overdue.iter().map(|services| services.name).collect();
        tracing::error!(services = names.join(", "), "aborted: not stopped in time");
        self.failed.get_or_insert(Failed::Overdue { names });
    }
}

fn failure(name: &'static str, end: Result<Result<(), BoxError>, JoinError>) -> Option<Failed> {
    match end {
        Ok(Ok(())) => None,
        Ok(Err(source)) => Some(Failed::Error { name, source }),
        Err(error) => Some(Failed::Panic { name, message: message_of(error) }),
    }
}

fn message_of(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "aborted".into();
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or("no message".into(), |text| (*text).to_owned()),
    }
}

#[cfg(test)]
mod tests;
