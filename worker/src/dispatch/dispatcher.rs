//! The loop: looks when woken and every second, lane after lane in turn, and hints what it found within the window.

use std::{future::Future, sync::Arc, time::Duration};

use domain::job::{QueueName, WINDOW};
use entity::bulk::{Work, postgres, sqlite};
use platform::{
    context::Context,
    database::{DatabaseError, Pool},
    telemetry::names,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use uuid::Uuid;

use super::look::{self, Found};

/// How often it looks when nobody wakes it.
const EVERY: Duration = Duration::from_secs(1);
/// Least time between two rounds: a thousand wakes cost one.
const PAUSE: Duration = Duration::from_millis(5);
/// How long it leaves a full window to the workers before it looks for room again.
const FULL: Duration = Duration::from_millis(20);
/// Most looks of one round; the next round goes on where this one stopped.
const LOOKS_A_ROUND: usize = 16;
/// Ids that it feeds to its own process in a round while the queue is away.
const FED_DIRECTLY: usize = 512;

/// Works ids in this process, past the queue.
pub trait Feed: Send + Sync + 'static {
    /// Returns when they are claimed.
    fn feed(&self, queue: QueueName, ids: Vec<Uuid>) -> impl Future<Output = ()> + Send;
}

/// What a round leaves to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// There is more that is due, and room for it.
    More,
    /// The window is full: there may be more.
    Full,
    /// Nothing is due.
    Nothing,
}

/// Looks for due work and sees that it is worked.
pub struct Dispatcher<F> {
    context: Context,
    feed: Arc<F>,
    /// Held while uploads are read past the queue.
    reading: Arc<Semaphore>,
    /// The lane at which the last look stopped; the next one goes on behind it.
    cursor: Uuid,
}

impl<F: Feed> Dispatcher<F> {
    /// A dispatcher that falls back on `feed` while the queue is away.
    pub fn new(context: Context, feed: F) -> Self {
        Self { context, feed: Arc::new(feed), reading: Arc::new(Semaphore::new(1)), cursor: Uuid::nil() }
    }

    /// Runs until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut woken = self.context.queue.woken();
        while !stop.is_cancelled() {
            woken.mark_unchanged();
            let left = self.round().await.unwrap_or_else(|error| {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, "the dispatcher could not look");
                Rest::Nothing
            });
            let rest = async {
                tokio::time::sleep(PAUSE).await;
                match left {
                    Rest::More => {}
                    Rest::Full => tokio::time::sleep(FULL).await,
                    Rest::Nothing => drop(tokio::time::timeout(EVERY, woken.changed()).await),
                }
            };
            stop.run_until_cancelled(rest).await;
        }
    }

    /// One round over the lanes, as far as there is room.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn round(&mut self) -> Result<Rest, DatabaseError> {
        let uploads = self.uploads().await?;
        Ok(match self.deliveries().await? {
            Rest::Nothing => uploads,
            left => left,
        })
    }

    async fn deliveries(&mut self) -> Result<Rest, DatabaseError> {
        for _ in 0..LOOKS_A_ROUND {
            let room = self.room(QueueName::Deliveries).await;
            if room == 0 {
                return Ok(Rest::Full);
            }
            let look = look::deliveries(&self.context, self.cursor, room).await?;
            let (found, wrapped) = (look.found.len(), look.stopped_at.is_none());
            let from_the_start = self.cursor.is_nil();
            self.cursor = look.stopped_at.unwrap_or_default();
            let pushed = self.hand_on(QueueName::Deliveries, look.found).await;
            if !pushed {
                return Ok(Rest::Full);
            }
            // Room was left, and every lane was passed.
            if wrapped && from_the_start && found == 0 {
                return Ok(Rest::Nothing);
            }
        }
        Ok(Rest::More)
    }

    async fn uploads(&self) -> Result<Rest, DatabaseError> {
        let room = self.room(QueueName::Uploads).await.min(FED_DIRECTLY);
        if room == 0 {
            return Ok(Rest::Full);
        }
        let found = look::uploads(&self.context, room).await?;
        let more = found.len() == room;
        Ok(match self.hand_on(QueueName::Uploads, found).await {
            false => Rest::Full,
            true if more => Rest::More,
            true => Rest::Nothing,
        })
    }

    /// How many ids can be handed on now.
    async fn room(&self, queue: QueueName) -> usize {
        match self.context.queue.depth(queue).await {
            Ok(depth) => WINDOW.saturating_sub(depth),
            Err(_) => FED_DIRECTLY,
        }
    }

    /// Hints what was found; what finds no room is unmarked. Returns whether all of it went through the queue or was
    /// worked here.
    async fn hand_on(&self, queue: QueueName, found: Vec<Found>) -> bool {
        if found.is_empty() {
            return true;
        }
        let rescued = found.iter().filter(|found| found.rescued).count();
        metrics::counter!(names::RESCUED).increment(rescued as u64);
        let ids: Vec<Uuid> = found.into_iter().map(|found| found.id).collect();
        match self.context.queue.push(queue, &ids, None).await {
            Ok(taken) if taken >= ids.len() => true,
            Ok(taken) => {
                self.unmark(queue, &ids[taken..]).await;
                false
            }
            Err(error) => {
                debug!(%error, ids = ids.len(), "the queue is away: working these here");
                self.feed_here(queue, ids).await
            }
        }
    }

    /// Works what was found in this process. Uploads are read aside, one batch at a time: no delivery waits for a file.
    async fn feed_here(&self, queue: QueueName, ids: Vec<Uuid>) -> bool {
        if queue != QueueName::Uploads {
            self.feed.feed(queue, ids).await;
            return true;
        }
        let Ok(reading) = Arc::clone(&self.reading).try_acquire_owned() else {
            self.unmark(queue, &ids).await;
            return false;
        };
        let feed = Arc::clone(&self.feed);
        tokio::spawn(async move {
            feed.feed(queue, ids).await;
            drop(reading);
        });
        true
    }

    async fn unmark(&self, queue: QueueName, ids: &[Uuid]) {
        let work = if queue == QueueName::Uploads { Work::Uploads } else { Work::Deliveries };
        if let Err(error) = unhint(&self.context, work, ids).await {
            debug!(%error, "marks were left on rows without a hint; they run out by themselves");
        }
    }
}

async fn unhint(context: &Context, work: Work, ids: &[Uuid]) -> Result<(), DatabaseError> {
    match context.database.pool() {
        Pool::Postgres(pool) => postgres::unhint(&mut *pool.acquire().await?, work, ids).await?,
        Pool::Sqlite(pool) => sqlite::unhint(&mut *pool.acquire().await?, work, ids).await?,
    }
    Ok(())
}
