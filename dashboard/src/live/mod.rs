//! The live overview: one poller reads for all viewers, and reads nothing while there are none.
//! Never sends what it read, only the names of what changed: pages fetch the fragments that they show.

pub(crate) mod series;
pub(crate) mod snapshot;
pub(crate) mod stream;

use std::{sync::Arc, time::Duration};

use platform::database::DatabaseError;
use tokio::{
    sync::{Mutex, Notify, Semaphore, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use self::snapshot::Snapshot;
use crate::sources::Sources;

/// Least time between two polls of the database.
const PERIOD: Duration = Duration::from_secs(1);
/// Most time between two polls while a page listens.
const LONGEST_PERIOD: Duration = Duration::from_secs(15);
/// The pause is at least this many times as long as the look took: watching costs at most a twentieth of a connection.
const PAUSE_PER_LOOK: u32 = 20;
/// Most streams at a time in one process.
pub(crate) const MAX_STREAMS: usize = 256;

/// What the last look came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latest {
    /// What was read last, however long ago.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// Whether the last look failed.
    pub(crate) failing: bool,
    fresh_until: Option<Instant>,
}

/// The shared state of the live overview; clones share it.
#[derive(Clone)]
pub(crate) struct Live {
    latest: Arc<watch::Sender<Latest>>,
    looking: Arc<Mutex<()>>,
    somebody_came: Arc<Notify>,
    streams: Arc<Semaphore>,
    closing: CancellationToken,
}

impl Live {
    /// Nothing read yet, no viewers.
    pub(crate) fn new() -> Self {
        Self {
            latest: Arc::new(watch::Sender::new(Latest::default())),
            looking: Arc::new(Mutex::new(())),
            somebody_came: Arc::new(Notify::new()),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            closing: CancellationToken::new(),
        }
    }

    /// The current snapshot: the poller's, or a new one if that is too old.
    pub(crate) async fn snapshot(&self, sources: &Sources) -> Result<Arc<Snapshot>, DatabaseError> {
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        let _one_at_a_time = self.looking.lock().await;
        match self.fresh() {
            Some(fresh) => Ok(fresh),
            None => self.look(sources).await,
        }
    }

    /// Polls while a page listens, until `stop`.
    pub(crate) async fn poll(&self, sources: &Sources, stop: &CancellationToken) {
        let until_stop = async {
            loop {
                self.somebody_listens().await;
                let started = Instant::now();
                // The failure is logged and published; the next poll follows.
                let _ = self.look_alone(sources).await;
                tokio::time::sleep_until(started + pause_after(started.elapsed())).await;
            }
        };
        stop.run_until_cancelled(until_stop).await;
    }

    /// Ends every stream, so that a graceful stop does not wait for browsers.
    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    /// Cancelled when the process begins to stop.
    pub(crate) const fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    async fn look_alone(&self, sources: &Sources) -> Result<Arc<Snapshot>, DatabaseError> {
        let _one_at_a_time = self.looking.lock().await;
        self.look(sources).await
    }

    async fn look(&self, sources: &Sources) -> Result<Arc<Snapshot>, DatabaseError> {
        let before = self.latest.borrow().clone();
        let started = Instant::now();
        let looked = Snapshot::load(sources, before.snapshot.as_deref()).await.map(Arc::new);
        if let Err(error) = &looked
            && !before.failing
        {
            tracing::warn!(%error, "the dashboard cannot read the database");
        }
        self.latest.send_replace(Latest {
            snapshot: looked.as_ref().ok().cloned().or(before.snapshot),
            failing: looked.is_err(),
            fresh_until: looked.is_ok().then(|| Instant::now() + pause_after(started.elapsed())),
        });
        looked
    }

    fn fresh(&self) -> Option<Arc<Snapshot>> {
        let latest = self.latest.borrow();
        latest.fresh_until.filter(|until| *until > Instant::now()).and_then(|_| latest.snapshot.clone())
    }

    async fn somebody_listens(&self) {
        while self.latest.receiver_count() == 0 {
            self.somebody_came.notified().await;
        }
    }
}

fn pause_after(look: Duration) -> Duration {
    (look * PAUSE_PER_LOOK).clamp(PERIOD, LONGEST_PERIOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_database_is_looked_at_less_often() {
        assert_eq!(pause_after(Duration::from_millis(3)), PERIOD);
        assert_eq!(pause_after(Duration::from_millis(50)), PERIOD);
        assert_eq!(pause_after(Duration::from_millis(100)), Duration::from_secs(2));
        assert_eq!(pause_after(Duration::from_secs(30)), LONGEST_PERIOD);
    }
}
