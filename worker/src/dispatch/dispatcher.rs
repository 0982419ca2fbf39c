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
/// How long it rests when the window is full, or when many lanes had nothing that is due.
const FULL: Duration = Duration::from_millis(50);
/// Most looks of one round; the next round goes on where this one stopped.
const LOOKS_A_ROUND: usize = 16;
/// Uploads that are hinted ahead: they take long, and a hint is trusted for 15 s only.
const UPLOADS_AHEAD: usize = 256;
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
    /// The window is full, or there are lanes that were not looked at yet: there may be more.
    Later,
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
    /// What was found since the first lane.
    found_in_pass: usize,
}

impl<F: Feed> Dispatcher<F> {
    /// A dispatcher that falls back on `feed` while the queue is away.
    pub fn new(context: Context, feed: F) -> Self {
        Self {
            context,
            feed: Arc::new(feed),
            reading: Arc::new(Semaphore::new(1)),
            cursor: Uuid::nil(),
            found_in_pass: 0,
        }
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
                    Rest::Later => tokio::time::sleep(FULL).await,
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
        let uploads = self.uploads().await;
        let deliveries = self.deliveries().await?;
        // Uploads that wait for room have a second.
        Ok(if deliveries == Rest::Nothing && uploads? == Rest::More { Rest::More } else { deliveries })
    }

    async fn deliveries(&mut self) -> Result<Rest, DatabaseError> {
        let mut found_in_round = 0;
        for _ in 0..LOOKS_A_ROUND {
            let room = self.room(QueueName::Deliveries, WINDOW).await;
            if room == 0 {
                return Ok(Rest::Later);
            }
            let look = look::deliveries(&self.context, self.cursor, room).await?;
            self.found_in_pass += look.found.len();
            found_in_round += look.found.len();
            self.cursor = look.stopped_at.unwrap_or_default();
            if !self.hand_on(QueueName::Deliveries, look.found).await {
                return Ok(Rest::Later);
            }
            // Every lane was passed, with room left, and none had anything.
            if look.stopped_at.is_none() && std::mem::take(&mut self.found_in_pass) == 0 {
                return Ok(Rest::Nothing);
            }
        }
        Ok(if found_in_round == 0 { Rest::Later } else { Rest::More })
    }

    async fn uploads(&self) -> Result<Rest, DatabaseError> {
        let away = !self.context.queue.is_healthy();
        if away && self.reading.available_permits() == 0 {
            return Ok(Rest::Nothing);
        }
        let room = self.room(QueueName::Uploads, UPLOADS_AHEAD).await;
        if room == 0 {
            return Ok(Rest::Nothing);
        }
        let found = look::uploads(&self.context, room).await?;
        let more = found.len() == room;
        let handed_on = self.hand_on(QueueName::Uploads, found).await;
        Ok(if handed_on && more { Rest::More } else { Rest::Nothing })
    }

    /// How many ids can be handed on now, when `most` may wait.
    async fn room(&self, queue: QueueName, most: usize) -> usize {
        match self.context.queue.depth(queue).await {
            Ok(depth) => most.saturating_sub(depth),
            Err(_) => most.min(FED_DIRECTLY),
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
