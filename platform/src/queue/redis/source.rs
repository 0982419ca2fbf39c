//! Pops jobs from one queue on a connection of its own. Survives every error of Redis: a worker without Redis works from the
//! database.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use domain::job::{Job, QueueName};
use metrics::counter;
use redis::{RedisError, RedisResult, Value, aio::MultiplexedConnection, from_redis_value};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    connection::{self, CALL_TIMEOUT, SharedConnection},
    keys::Keys,
};
use crate::{queue::QueueError, telemetry::names::QUEUE_ERRORS};

/// Longest wait of one pop for a job, in seconds; a shutdown waits as long for the last pop.
const POP_SECONDS: u64 = 1;
/// Timeout of a pop.
const POP_TIMEOUT: Duration = Duration::from_secs(POP_SECONDS).saturating_add(CALL_TIMEOUT);
/// Backoff after errors: doubles from the first to the last.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Reads one queue for one worker.
pub(super) struct Source {
    shared: Arc<SharedConnection>,
    name: QueueName,
    keys: Keys,
    at_once: usize,
    stop: CancellationToken,
    connection: Option<MultiplexedConnection>,
    taken: VecDeque<Job>,
    /// Weight of popped jobs that the counter still includes.
    uncounted: usize,
    wait: Duration,
}

impl Source {
    pub(super) fn new(
        shared: Arc<SharedConnection>,
        name: QueueName,
        keys: Keys,
        at_once: usize,
        stop: CancellationToken,
    ) -> Self {
        Self {
            shared,
            name,
            keys,
            at_once: at_once.max(1),
            stop,
            connection: None,
            taken: VecDeque::new(),
            uncounted: 0,
            wait: FIRST_WAIT,
        }
    }

    /// Returns the next job; none after the stop when no popped job is left. Never cancels a pop in flight: its jobs are gone
    /// from Redis.
    pub(super) async fn next(&mut self) -> Option<Job> {
        loop {
            if let Some(job) = self.taken.pop_front() {
                return Some(job);
            }
            if self.stop.is_cancelled() {
                self.count_taken().await;
                return None;
            }
            match self.pop().await {
                Ok(()) => self.wait = FIRST_WAIT,
                Err(error) => self.recover_from(error).await,
            }
        }
    }

    async fn pop(&mut self) -> Result<(), QueueError> {
        let mut connection = self.connection().await?;
        // Whether a lost reply was counted is unknown; a counter that is too high corrects itself when the list is empty.
        let uncounted = std::mem::take(&mut self.uncounted);
        let mut pop = redis::pipe();
        if uncounted > 0 {
            pop.cmd("DECRBY").arg(&self.keys.waiting).arg(uncounted);
        }
        pop.cmd("BLMPOP")
            .arg(POP_SECONDS)
            .arg(1)
            .arg(&self.keys.jobs)
            .arg("LEFT")
            .arg("COUNT")
            .arg(self.at_once);
        // A full Redis refuses DECRBY but not the pop, and popped jobs are gone from Redis.
        let answers: Vec<RedisResult<Value>> = pop.ignore_errors().query_async(&mut connection).await?;
        if answers.len() > 1 && answers[0].is_err() {
            self.uncounted = uncounted;
        }
        let Some(popped) = answers.into_iter().next_back() else { return Ok(()) };
        let popped: Option<(Value, Vec<Vec<u8>>)> = from_redis_value(popped?).map_err(RedisError::from)?;
        for stored in popped.map(|(_, jobs)| jobs).unwrap_or_default() {
            self.decode_job(&stored);
        }
        Ok(())
    }

    /// Subtracts the last popped jobs from the counter, since no pop follows that would. Best effort.
    async fn count_taken(&mut self) {
        let (Some(connection), 1..) = (&mut self.connection, self.uncounted) else { return };
        let mut count = redis::cmd("DECRBY");
        count.arg(&self.keys.waiting).arg(std::mem::take(&mut self.uncounted));
        if !matches!(timeout(CALL_TIMEOUT, count.exec_async(connection)).await, Ok(Ok(()))) {
            tracing::debug!(queue = %self.name, "could not update the job counter; it corrects itself when the queue is empty");
        }
    }

    fn decode_job(&mut self, stored: &[u8]) {
        match serde_json::from_slice::<Job>(stored) {
            Ok(job) => {
                self.uncounted += job.weight();
                self.taken.push_back(job);
            }
            Err(error) => {
                counter!(QUEUE_ERRORS).increment(1);
                tracing::error!(queue = %self.name, %error, "dropped an unreadable job; its rows are claimed when their lease expires");
            }
        }
    }

    async fn connection(&mut self) -> Result<MultiplexedConnection, QueueError> {
        if let Some(open) = &self.connection {
            return Ok(open.clone());
        }
        let client = self.shared.client();
        let opened = self.stop.run_until_cancelled(connection::connect(client, POP_TIMEOUT)).await;
        let opened = opened.ok_or(QueueError::Away)??;
        self.connection = Some(opened.clone());
        Ok(opened)
    }

    async fn recover_from(&mut self, error: QueueError) {
        counter!(QUEUE_ERRORS).increment(1);
        tracing::debug!(queue = %self.name, %error, "could not pop jobs from Redis; reconnecting");
        self.connection = None;
        self.shared.remove_foreign_keys(self.name, &self.keys, Some(&error)).await;
        self.stop.run_until_cancelled(tokio::time::sleep(self.wait)).await;
        self.wait = (self.wait * 2).min(LAST_WAIT);
    }
}
