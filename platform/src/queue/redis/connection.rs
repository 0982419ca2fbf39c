//! The connection that pushes and counts. Every call is bounded in time, and a connection that failed is never used again.

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

use super::{super::QueueError, health::Health};
use crate::telemetry::names::QUEUE_ERRORS;

/// Longest time that a call may take, connecting included.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(1);
/// The first version that knows `BLMPOP`.
const OLDEST_MAJOR: u32 = 7;
/// Longest time that connecting may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(800);

/// One shared connection to Redis, made when it is first needed and again after a failure.
pub(super) struct Link {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
    health: Health,
    policy_checked: AtomicBool,
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        Self { client, connection: Mutex::new(None), health: Health::new(), policy_checked: false.into() }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.health.is_healthy()
    }

    /// Runs a script, if Redis is not known to be away.
    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, QueueError> {
        self.call(async |connection| script.invoke_async(connection).await).await
    }

    /// Runs one call, if Redis is not known to be away, and remembers how it went.
    pub(super) async fn call<T>(
        &self,
        run: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, QueueError> {
        if !self.health.admits() {
            return Err(QueueError::Away);
        }
        self.call_anyway(run).await
    }

    /// Runs one call even if Redis was away a moment ago: for calls that are rare.
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

    async fn settle(&self, failure: Option<&QueueError>) {
        let changed = self.health.record(failure.is_none());
        match failure {
            Some(error) => {
                counter!(QUEUE_ERRORS).increment(1);
                self.drop_connection();
                if changed {
                    tracing::warn!(%error, "the queue's Redis is away; work comes from the database until it is back");
                }
            }
            None if changed => tracing::info!("the queue's Redis is back"),
            None => {}
        }
    }

    // The holder of the lock is making a new connection already.
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
                "Redis may evict keys of the queue: set maxmemory-policy to noeviction (the queue heals, but loses its jobs: they wait for their lease to end)"
            );
        }
    }
}

/// A connection of its own, whose answers may take `response`. It does not reconnect.
pub(super) async fn connect(client: &Client, response: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(response));
    client.get_multiplexed_async_connection_with_config(&config).await
}
