//! Hints to the queue after the commit, best effort: when Redis is slow or away, hints are dropped and accepts do not
//! notice. The rows know whether a hint was meant to follow; the dispatcher finds those whose hint got lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::job::{Hint, QueueName};
use entity::bulk::{Work, unhint};
use platform::{context::Context, queue::Queue};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use uuid::Uuid;

use super::rows::Rows;

/// Batches of hints that may wait; beyond it rows are not marked as hinted.
const WAITING: usize = 256;
/// How long the API leaves a full window to the dispatcher.
const FULL_PAUSE: Duration = Duration::from_millis(100);

struct Batch {
    queue: QueueName,
    hint: Hint,
}

/// Decides whether a row is marked as hinted, and hands hints to the task that pushes them.
pub(super) struct Hinter {
    batches: mpsc::Sender<Batch>,
    queue: Queue,
    pause: Pause,
}

/// Pushes hints, one batch at a time.
pub(super) struct Hints {
    batches: mpsc::Receiver<Batch>,
    context: Context,
    pause: Pause,
}

/// Until when the window counts as full, in ms since `start`.
#[derive(Clone)]
struct Pause {
    start: Instant,
    until_ms: Arc<AtomicU64>,
}

pub(super) fn new(context: &Context) -> (Hinter, Hints) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let pause = Pause { start: Instant::now(), until_ms: Arc::default() };
    let hinter = Hinter { batches: sender, queue: context.queue.clone(), pause: pause.clone() };
    (hinter, Hints { batches: receiver, context: context.clone(), pause })
}

impl Hinter {
    /// Whether a row that is written now should be marked as hinted.
    pub(super) fn willing(&self) -> bool {
        self.queue.is_healthy() && self.batches.capacity() > 1 && !self.pause.is_on()
    }

    /// Hints the rows that were marked, and wakes the dispatchers for the others.
    pub(super) fn hint(&self, rows: Rows) {
        if rows.has_unhinted() {
            self.queue.wake();
        }
        for (queue, hint) in rows.hinted() {
            if !hint.ids.is_empty() {
                // Full: the mark on these rows runs out by itself.
                let _ = self.batches.try_send(Batch { queue, hint });
            }
        }
    }
}

impl Hints {
    /// Runs until every sender is gone, or `stop`; what is not pushed then is found by the dispatcher.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while let Some(Some(batch)) = stop.run_until_cancelled(self.batches.recv()).await {
            self.push(batch).await;
        }
    }

    async fn push(&self, Batch { queue, hint }: Batch) {
        let taken = match self.context.queue.push(queue, &hint).await {
            Ok(taken) => taken,
            Err(error) => {
                debug!(%error, "hints were not pushed");
                0
            }
        };
        let left = &hint.ids[taken.min(hint.ids.len())..];
        if !left.is_empty() {
            self.pause.begin();
            self.give_back(queue, left).await;
        }
    }

    /// Takes the mark off rows whose hint found no room, so that the dispatcher sees them at once.
    async fn give_back(&self, queue: QueueName, ids: &[Uuid]) {
        let work = match queue {
            QueueName::Uploads => Work::Uploads,
            QueueName::Deliveries => Work::Deliveries,
            // These rows carry no mark: whoever looks for them finds them.
            QueueName::Broadcasts | QueueName::Maintenance => return,
        };
        if let Err(error) = unhint(self.context.database.writer(), work, ids).await {
            debug!(%error, "marks were left on rows without a hint; they run out by themselves");
        }
        self.context.queue.wake();
    }
}

impl Pause {
    fn is_on(&self) -> bool {
        self.elapsed_ms() < self.until_ms.load(Ordering::Relaxed)
    }

    fn begin(&self) {
        let until = self.elapsed_ms() + u64::try_from(FULL_PAUSE.as_millis()).unwrap_or(u64::MAX);
        self.until_ms.store(until, Ordering::Relaxed);
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
