//! What a worker's death means: wait and start another, or also that a job is poison. Decides nothing about deliveries.

use std::{any::Any, time::Duration};

use apalis_core::{backend::finalize::DurableError, error::WorkerError};
use domain::job::QueueName;
use platform::queue::redis::{BROKEN_LIMIT, RedisQueue};
use rand::RngExt;
use redis::{ErrorKind, RedisError, ServerErrorKind};

type BackendError = DurableError<apalis_redis::Error, serde_json::Error>;

/// Why an apalis worker ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Death {
    /// It could not connect.
    #[error("cannot connect: {0}")]
    Connect(RedisError),
    /// It ran into an error of the queue.
    #[error(transparent)]
    Worker(WorkerError),
    /// It panicked, outside any handler.
    #[error("panicked: {0}")]
    Panic(String),
}

/// When a job killed the worker, says so in Redis, where the third such death wipes the queue.
pub(super) async fn report(redis: &RedisQueue, queue: QueueName, death: &Death) {
    if !is_poison(death) {
        return;
    }
    tracing::error!(%queue, error = %death, "a job in the queue cannot be read");
    match redis.report_broken(queue).await {
        Ok(true) => {
            tracing::error!(%queue, "the queue was wiped after {BROKEN_LIMIT} jobs that could not be read; it refills");
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(%queue, %error, "could not report a broken job"),
    }
}

fn is_poison(death: &Death) -> bool {
    let Death::Worker(WorkerError::BackendError(error)) = death else {
        return false;
    };
    match error.downcast_ref::<BackendError>() {
        Some(DurableError::CodecError(_)) => true,
        Some(DurableError::PollNextError(apalis_redis::Error::Database(error))) => is_unreadable(error),
        Some(DurableError::PollNextError(
            apalis_redis::Error::Json(_)
            | apalis_redis::Error::TaskIdError(_)
            | apalis_redis::Error::StatusError(_),
        )) => true,
        _ => false,
    }
}

/// What apalis says about itself when another took its place; a new worker cures it.
const OUT_OF_SYNC: [&str; 3] =
    ["worker not registered", "task not executed by worker", "still active within"];
/// What apalis says about a job without data or with data it does not understand. Its errors carry no better mark.
const UNREADABLE: [&str; 8] = [
    "Invalid job data",
    "Invalid metadata",
    "Metadata",
    "Missing",
    "not UTF-8",
    "not bulk string",
    "Job data and metadata",
    "invalid digit",
];

fn is_unreadable(error: &RedisError) -> bool {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Io => UNREADABLE.iter().any(|mark| text.contains(mark)),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => true,
        ErrorKind::Server(ServerErrorKind::ResponseError) => {
            !OUT_OF_SYNC.iter().any(|mark| text.contains(mark))
        }
        _ => error.code() == Some("WRONGTYPE"),
    }
}

/// Waits between deaths: 100 ms, doubled up to 5 s, half of it random.
#[derive(Default)]
pub(super) struct Backoff {
    deaths: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LAST: Duration = Duration::from_secs(5);

    /// The worker had been running: begin anew.
    pub(super) fn reset(&mut self) {
        self.deaths = 0;
    }

    /// How long to wait now.
    pub(super) fn next(&mut self) -> Duration {
        let wait = Self::after(self.deaths, rand::rng().random());
        self.deaths += 1;
        wait
    }

    fn after(deaths: u32, jitter: f64) -> Duration {
        let full = Self::FIRST.saturating_mul(2_u32.saturating_pow(deaths)).min(Self::LAST);
        full.mul_f64(0.5 + jitter / 2.0)
    }
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_100_ms_up_to_5_s() {
        assert_eq!(Backoff::after(0, 1.0), Duration::from_millis(100));
        assert_eq!(Backoff::after(0, 0.0), Duration::from_millis(50));
        assert_eq!(Backoff::after(3, 1.0), Duration::from_millis(800));
        assert_eq!(Backoff::after(40, 1.0), Duration::from_secs(5));
    }

    #[test]
    fn a_lost_connection_is_no_poison() {
        let died = |error: RedisError| {
            let error = BackendError::PollNextError(apalis_redis::Error::Database(error));
            Death::Worker(WorkerError::BackendError(Box::new(error)))
        };
        let io = |kind, text: &'static str| RedisError::from(std::io::Error::new(kind, text));
        assert!(!is_poison(&died(io(std::io::ErrorKind::TimedOut, "timed out"))));
        assert!(!is_poison(&died(io(std::io::ErrorKind::BrokenPipe, "broken pipe"))));
        assert!(is_poison(&died(io(std::io::ErrorKind::InvalidData, "Invalid job data format"))));
        let server = |text: &str| {
            RedisError::from((ErrorKind::Server(ServerErrorKind::ResponseError), "ERR", text.to_owned()))
        };
        assert!(!is_poison(&died(server("Cant fetch next: worker not registered"))));
        assert!(is_poison(&died(server("too many results to unpack"))));
    }
}
