//! The one loop over services: start all, watch all, stop one after the other.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    task::{AbortHandle, JoinError},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::service::{BoxError, Service};

/// After the whole time of a stop has passed, everybody is told and gets as much again, but at most this.
const LAST_CALL: Duration = Duration::from_secs(1);

/// Why a process must end with an error.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// A service returned an error.
    #[error("{name} failed: {source}")]
    Error {
        /// The service.
        name: &'static str,
        /// What it said.
        source: BoxError,
    },
    /// A service panicked.
    #[error("{name} panicked: {message}")]
    Panic {
        /// The service.
        name: &'static str,
        /// What the panic said.
        message: String,
    },
    /// Services did not end within the time of the stop and were cut off.
    #[error("not stopped in time: {}", names.join(", "))]
    Overdue {
        /// The services.
        names: Vec<&'static str>,
    },
}

/// Runs services; see [`Supervisor::run`].
pub struct Supervisor {
    watched: Vec<Watched>,
    ends: FuturesUnordered<End>,
    failed: Option<Failed>,
}

struct Watched {
    name: &'static str,
    deadline: Option<Duration>,
    stop: CancellationToken,
    abort: AbortHandle,
    running: bool,
}

type End = futures_util::future::BoxFuture<'static, (usize, Result<Result<(), BoxError>, JoinError>)>;

impl Supervisor {
    /// Runs all services until `stop` is cancelled, one of them fails, or all have returned. Then stops them in the
    /// order of the list: each is told when the one before has returned, or its deadline has passed. After
    /// `shutdown_timeout` all are told, and what still runs a second later is cut off.
    ///
    /// # Errors
    /// With the first service that failed or panicked, else with those that did not stop in time.
    pub async fn run(
        services: Vec<Service>,
        stop: CancellationToken,
        shutdown_timeout: Duration,
    ) -> Result<(), Failed> {
        let mut this = Self { watched: Vec::new(), ends: FuturesUnordered::new(), failed: None };
        services.into_iter().for_each(|service| this.start(service));
        stop.run_until_cancelled(this.first_failure()).await;
        this.stop_all(Instant::now() + shutdown_timeout, shutdown_timeout.min(LAST_CALL)).await;
        this.failed.map_or(Ok(()), Err)
    }

    fn start(&mut self, service: Service) {
        let (index, stop) = (self.watched.len(), CancellationToken::new());
        let task = tokio::spawn((service.run)(stop.clone()));
        let (name, deadline, abort) = (service.name, service.deadline, task.abort_handle());
        self.watched.push(Watched { name, deadline, stop, abort, running: true });
        self.ends.push(Box::pin(async move { (index, task.await) }));
        tracing::debug!(service = name, "started");
    }

    /// Returns when a service has failed, or when all have returned.
    async fn first_failure(&mut self) {
        while self.failed.is_none() && self.next_end().await {}
    }

    /// Waits for the next service to end, and notes how it did. False when none runs any more.
    async fn next_end(&mut self) -> bool {
        let Some((index, end)) = self.ends.next().await else {
            return false;
        };
        let Watched { name, running, stop, .. } = &mut self.watched[index];
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

    async fn stop_all(&mut self, end: Instant, last_call: Duration) {
        tracing::info!("stopping: work under way is finished first");
        for index in 0..self.watched.len() {
            let Watched { name, deadline, stop, running, .. } = &self.watched[index];
            stop.cancel();
            if *running {
                tracing::debug!(service = name, "stopping");
            }
            let until = deadline.map_or(end, |deadline| end.min(Instant::now() + deadline));
            if timeout_at(until, self.ended(index)).await.is_err() {
                tracing::warn!(service = self.watched[index].name, "still busy after its deadline");
            }
        }
        let all = async { while self.next_end().await {} };
        if timeout_at(end + last_call, all).await.is_err() {
            self.cut_off();
        }
    }

    async fn ended(&mut self, index: usize) {
        while self.watched[index].running && self.next_end().await {}
    }

    fn cut_off(&mut self) {
        let overdue: Vec<&Watched> = self.watched.iter().filter(|watched| watched.running).collect();
        overdue.iter().for_each(|watched| watched.abort.abort());
        let names: Vec<&str> = overdue.iter().map(|watched| watched.name).collect();
        tracing::error!(services = names.join(", "), "cut off: not stopped in time");
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
        return "cut off".into();
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or("no message".into(), |text| (*text).to_owned()),
    }
}

#[cfg(test)]
mod tests;
