//! Takes jobs from one queue by blocking pops on a connection of its own. Outlives every error of Redis: a worker without
//! Redis works from the database.

use std::{collections::VecDeque, time::Duration};

use domain::job::{Job, QueueName};
use metrics::counter;
use redis::{RedisError, RedisResult, Value, aio::MultiplexedConnection, from_redis_value};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    Keys, RedisQueue,
    connection::{self, CALL_TIMEOUT},
};
use crate::{queue::QueueError, telemetry::names::QUEUE_ERRORS};

/// How long one pop waits for a job, in seconds: as long a stop waits for the last one.
const POP_SECONDS: u64 = 1;
/// Longest time that a pop may take.
const POP_TIMEOUT: Duration = Duration::from_secs(POP_SECONDS).saturating_add(CALL_TIMEOUT);
/// Waits after errors, doubled from the first to the last.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LAST_WAIT: Duration = Duration::from_secs(5);

/// What one worker takes from one queue.
pub(super) struct Source {
    queue: RedisQueue,
    name: QueueName,
    keys: Keys,
    at_once: usize,
    stop: CancellationToken,
    connection: Option<MultiplexedConnection>,
    taken: VecDeque<Job>,
    /// What was taken and not yet counted.
    uncounted: usize,
    wait: Duration,
}

impl Source {
    pub(super) fn new(queue: RedisQueue, name: QueueName, at_once: usize, stop: CancellationToken) -> Self {
        let keys = queue.keys(name).clone();
        Self {
            queue,
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

    /// The next job; none when nothing that was taken is left after the stop. A pop that was sent is waited for: what it
    /// takes is gone from Redis.
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
                Err(error) => self.failed(error).await,
            }
        }
    }

    async fn pop(&mut self) -> Result<(), QueueError> {
        let mut connection = self.connection().await?;
        // Whether an answer that is lost was counted is not known; a counter that is too high heals.
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
        // A full Redis refuses to count, but not to pop: what was popped is gone there.
        let answers: Vec<RedisResult<Value>> = pop.ignore_errors().query_async(&mut connection).await?;
        if answers.len() > 1 && answers[0].is_err() {
            self.uncounted = uncounted;
        }
        let Some(popped) = answers.into_iter().next_back() else { return Ok(()) };
        let popped: Option<(Value, Vec<Vec<u8>>)> = from_redis_value(popped?).map_err(RedisError::from)?;
        for stored in popped.map(|(_, jobs)| jobs).unwrap_or_default() {
            self.read(&stored);
        }
        Ok(())
    }

    /// Counts what was taken last: no pop follows that would do it. Best effort, like every count of a source.
    async fn count_taken(&mut self) {
        let (Some(connection), 1..) = (&mut self.connection, self.uncounted) else { return };
        let mut count = redis::cmd("DECRBY");
        count.arg(&self.keys.waiting).arg(std::mem::take(&mut self.uncounted));
        if !matches!(timeout(CALL_TIMEOUT, count.exec_async(connection)).await, Ok(Ok(()))) {
            tracing::debug!(queue = %self.name, "could not count the last jobs; the counter heals when the queue is empty");
        }
    }

    fn read(&mut self, stored: &[u8]) {
        match serde_json::from_slice::<Job>(stored) {
            Ok(job) => {
                self.uncounted += job.weight();
                self.taken.push_back(job);
            }
            Err(error) => {
                counter!(QUEUE_ERRORS).increment(1);
                tracing::error!(queue = %self.name, %error, "dropped a job that can't be read; its rows are claimed when their lease ends");
            }
        }
    }

    async fn connection(&mut self) -> Result<MultiplexedConnection, QueueError> {
        if let Some(open) = &self.connection {
            return Ok(open.clone());
        }
        let client = self.queue.inner.link.client();
        let opened = self.stop.run_until_cancelled(connection::connect(client, POP_TIMEOUT)).await;
        let opened = opened.ok_or(QueueError::Away)??;
        self.connection = Some(opened.clone());
        Ok(opened)
    }

    async fn failed(&mut self, error: QueueError) {
        counter!(QUEUE_ERRORS).increment(1);
        tracing::debug!(queue = %self.name, %error, "no jobs from Redis; another connection follows");
        self.connection = None;
        self.queue.heal(self.name, Some(&error)).await;
        self.stop.run_until_cancelled(tokio::time::sleep(self.wait)).await;
        self.wait = (self.wait * 2).min(LAST_WAIT);
    }
}
