//! Endpoints as sends need them, at most a second old: URL, signing keys, headers, schedule, and whether their lane may be
//! sent to. Misses of many deliveries are loaded by one query. Shared by both ways to a send.

mod open;

use std::{collections::HashMap, sync::Arc, time::Duration};

use channels::WebhookTarget;
use domain::{
    clock::Millis,
    delivery::{LaneState, RetrySchedule},
};
use entity::endpoint::target::{TargetRow, load_targets};
use moka::sync::Cache;
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
    queue::Signal,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

pub use self::open::TargetError;

/// How old what is cached may be. Changes that are signalled hold earlier. With the wait for a slot
/// ([`crate::lanes::MAX_WAIT`]) it makes one second.
pub const MAX_AGE: Duration = Duration::from_millis(800);
/// Most endpoints that are cached, and most that are kept opened.
const CAPACITY: u64 = 10_000;

/// An endpoint that can be sent to, or the reason why not.
pub struct Endpoint {
    row: TargetRow,
    target: Result<Arc<WebhookTarget>, TargetError>,
    /// Its own deadline of an attempt.
    pub timeout: Option<Duration>,
    /// Its own retry schedule.
    pub schedule: Option<Arc<RetrySchedule>>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.row.id)
            .field("state", &self.row.state)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Where to send, or why that can't be.
    ///
    /// # Errors
    /// See [`TargetError`].
    pub fn target(&self) -> Result<&WebhookTarget, TargetError> {
        self.target.as_deref().map_err(|error| *error)
    }

    /// Whether it was neither paused nor disabled when it was read.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.row.state == LaneState::Active.as_str()
    }

    /// Whether its lane may be sent to at `now` (the database's time) without a claim: it is active, does not rest, its
    /// breaker is closed, and it has no limits.
    #[must_use]
    pub fn may_send(&self, now: Millis) -> bool {
        self.is_active() && self.row.blocked_until <= now.0 && !self.row.is_limited
    }

    fn new(row: TargetRow, target: Result<Arc<WebhookTarget>, TargetError>) -> Self {
        let timeout = row.timeout_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        let schedule = row.retry_schedule.as_deref().and_then(parse_schedule).map(Arc::new);
        Self { row, target, timeout, schedule }
    }

    /// Whether what is opened of it is what this row would open to.
    fn opens_like(&self, row: &TargetRow) -> bool {
        let ours = &self.row;
        ours.url == row.url
            && ours.sealed_secret == row.sealed_secret
            && ours.sealed_headers == row.sealed_headers
    }
}

/// A damaged schedule does not stop the endpoint's deliveries: `RETRY_SCHEDULE` applies.
fn parse_schedule(text: &str) -> Option<RetrySchedule> {
    RetrySchedule::from_seconds(text)
        .inspect_err(
            |error| warn!(%error, "a stored retry schedule can't be read; RETRY_SCHEDULE is used instead"),
        )
        .ok()
}

/// The cache. Clones share it.
#[derive(Clone)]
pub struct EndpointCache {
    context: Context,
    fresh: Cache<Uuid, Arc<Endpoint>>,
    /// What was opened, however old: opening costs more than reading.
    opened: Cache<Uuid, Arc<Endpoint>>,
}

impl EndpointCache {
    /// An empty cache.
    #[must_use]
    pub fn new(context: &Context) -> Self {
        Self {
            context: context.clone(),
            fresh: Cache::builder().max_capacity(CAPACITY).time_to_live(MAX_AGE).build(),
            opened: Cache::builder().max_capacity(CAPACITY).build(),
        }
    }

    /// Those of `ids` that exist.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn get(
        &self,
        ids: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, Arc<Endpoint>>, DatabaseError> {
        let (mut found, mut missing) = (HashMap::new(), vec![]);
        for id in ids {
            match self.fresh.get(&id) {
                Some(endpoint) => drop(found.insert(id, endpoint)),
                None => missing.push(id),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        for endpoint in self.load(&missing).await? {
            found.insert(endpoint.row.id, endpoint);
        }
        Ok(found)
    }

    /// Forgets everything whenever a process signals a change, until `stop`.
    pub async fn follow_changes(&self, stop: CancellationToken) {
        let mut changes = self.context.queue.watch(Signal::EndpointChanged);
        while let Some(Ok(())) = stop.run_until_cancelled(changes.changed()).await {
            self.fresh.invalidate_all();
        }
    }

    async fn load(&self, ids: &[Uuid]) -> Result<Vec<Arc<Endpoint>>, DatabaseError> {
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let rows = within_deadline(load_targets(&self.context.database, ids)).await?;
        Ok(rows.into_iter().map(|row| self.remember(row)).collect())
    }

    fn remember(&self, row: TargetRow) -> Arc<Endpoint> {
        let id = row.id;
        let target = match self.opened.get(&id).filter(|known| known.opens_like(&row)) {
            Some(known) => known.target.clone(),
            None => open::open(&self.context.keys, &row).map(Arc::new),
        };
        let endpoint = Arc::new(Endpoint::new(row, target));
        self.opened.insert(id, Arc::clone(&endpoint));
        self.fresh.insert(id, Arc::clone(&endpoint));
        endpoint
    }
}
