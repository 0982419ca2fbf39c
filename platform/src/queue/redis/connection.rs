//! The connection for pushes and counts. Every call has a timeout, and a connection that failed is never used again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use metrics::counter;
use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, RedisResult, ScriptInvocation,
    aio::{ConnectionLike, MultiplexedConnection},
};
use tokio::{sync::Mutex, time::timeout};

use domain::job::QueueName;

use super::{super::QueueError, health::Health, keys::Keys};
use crate::telemetry::names::QUEUE_ERRORS;

/// Timeout of a call, connecting included.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(1);
/// The first major version with `BLMPOP`.
const OLDEST_MAJOR: u32 = 7;
/// Timeout of connecting.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(800);

/// One shared connection to Redis, opened on first use and reopened after a failure.
pub(super) struct SharedConnection {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
    health: Health,
    policy_checked: AtomicBool,
}

impl SharedConnection {
    pub(super) fn new(client: Client) -> Self {
        Self { client, connection: Mutex::new(None), health: Health::new(), policy_checked: false.into() }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.health.is_healthy()
    }

    /// Runs a script, unless Redis is known to be unavailable.
    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, QueueError> {
        self.call(async |connection| script.invoke_async(connection).await).await
    }

    /// Runs one call, unless Redis is known to be unavailable, and records its outcome.
    pub(super) async fn call<T>(
        &self,
        run: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, QueueError> {
        if !self.health.admits() {
            return Err(QueueError::Away);
        }
        self.call_anyway(run).await
    }

    /// Runs one call even if Redis was unavailable a moment ago: for rare calls.
    pub(super) async fn call_anyway<T>(
        &self,
        run: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, QueueError> {
        let answered = timeout(CALL_TIMEOUT, async { run(&mut self.connection().await?).await }).await;
        let outcome =
            answered.map_or(Err(QueueError::Deadline(CALL_TIMEOUT)), |done| done.map_err(Into::into));
        self.settle(outcome.as_ref().err()).await;
        outcome
    }

    /// Removes keys of a wrong type, written by another program: every later call would fail on them.
    pub(super) async fn remove_foreign_keys(
        &self,
        queue: QueueName,
        keys: &Keys,
        error: Option<&QueueError>,
    ) {
        let Some(QueueError::Redis(error)) = error else { return };
        if error.code() != Some("WRONGTYPE") && !error.to_string().contains("WRONGTYPE") {
            return;
        }
        tracing::error!(%queue, %error, "a key of the queue has a wrong type; the queue is emptied, its rows are claimed");
        let mut remove = redis::cmd("UNLINK");
        remove.arg(&keys.jobs).arg(&keys.waiting);
        let removed = async |connection: &mut _| remove.query_async::<i64>(connection).await;
        if let Err(error) = self.call_anyway(removed).await {
            tracing::warn!(%queue, %error, "could not remove the key");
        }
    }

    async fn settle(&self, failure: Option<&QueueError>) {
        let changed = self.health.record(failure.is_none());
        match failure {
            Some(error) => {
                counter!(QUEUE_ERRORS).increment(1);
                self.drop_connection();
                if changed {
                    tracing::warn!(%error, "the queue's Redis is unavailable; work comes from the database until it is back");
                }
            }
            None if changed => tracing::info!("the queue's Redis is back"),
            None => {}
        }
    }

    // The holder of the lock is opening a new connection already.
    fn drop_connection(&self) {
        if let Ok(mut connection) = self.connection.try_lock() {
            *connection = None;
        }
    }

    async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        let mut connection = self.connection.lock().await;
        if let Some(open) = &*connection {
            return Ok(open.clone());
        }
        let mut fresh = connect(&self.client, CALL_TIMEOUT).await?;
        self.check_policy(&mut fresh).await;
        *connection = Some(fresh.clone());
        Ok(fresh)
    }

    async fn check_policy(&self, connection: &mut impl ConnectionLike) {
        if self.policy_checked.swap(true, Ordering::Relaxed) {
            return;
        }
        let info = redis::cmd("INFO").query_async::<String>(connection).await.unwrap_or_default();
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        if let (Some(version), Some(..OLDEST_MAJOR)) = (version, major) {
            tracing::error!(
                version,
                "Redis is too old: the queue needs version {OLDEST_MAJOR}.0 or newer (BLMPOP)"
            );
        }
        let policy = info.lines().find_map(|line| line.strip_prefix("maxmemory_policy:"));
        if let Some(policy) = policy.filter(|policy| *policy != "noeviction") {
            tracing::warn!(
                policy,
                "Redis may evict keys of the queue: set maxmemory-policy to noeviction (an evicted queue recovers but loses its jobs, which wait for their lease to expire)"
            );
        }
    }
}

/// Opens a separate connection with a response timeout of `response`. It does not reconnect.
pub(super) async fn connect(client: &Client, response: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(response));
    client.get_multiplexed_async_connection_with_config(&config).await
}
