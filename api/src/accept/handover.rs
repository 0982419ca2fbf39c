//! Hands over what was accepted with a lease: after the commit, one push of jobs, best effort. What is known not to have been
//! pushed is released, so that workers claim it at once; what is not known waits for its lease to end. While the queue is
//! filling up faster than workers empty it, accepts are held back for a moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::job::{Job, QueueName, Work};
use entity::lease::{self, Lease, Table};
use platform::{context::Context, database::within_deadline};
use tokio::{
    sync::{Mutex, mpsc},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Batches of jobs that may wait to be pushed.
const WAITING: usize = 4;
/// Beyond this many waiting deliveries accepts are held back: workers do not keep up.
const CROWDED: usize = 1_024;
/// Longest that one batch is held back.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often a crowded queue is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long nothing is handed over to a queue that is full or does not move.
const PAUSE: Duration = Duration::from_secs(1);

/// Decides whether rows are leased for a handover, and takes the jobs that follow.
pub(super) struct Handover {
    batches: mpsc::Sender<Vec<Job>>,
    context: Context,
    pauses: Pauses,
    /// Held while jobs are pushed or held back.
    pushing: Arc<Mutex<()>>,
}

/// The queues that have room for what is written now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OpenQueues([bool; QueueName::ALL.len()]);

/// Pushes jobs, one batch after the other.
pub(super) struct Pusher {
    batches: mpsc::Receiver<Vec<Job>>,
    context: Context,
    pauses: Pauses,
    /// Held while jobs are pushed or held back.
    pushing: Arc<Mutex<()>>,
}

/// Until when nothing is handed over to each queue, in ms since `start`.
#[derive(Clone)]
struct Pauses {
    start: Instant,
    until_ms: Arc<[AtomicU64; QueueName::ALL.len()]>,
}

pub(super) fn new(context: &Context) -> (Handover, Pusher) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let pauses = Pauses { start: Instant::now(), until_ms: Arc::default() };
    let pushing = Arc::<Mutex<()>>::default();
    let handover = Handover {
        batches: sender,
        context: context.clone(),
        pauses: pauses.clone(),
        pushing: Arc::clone(&pushing),
    };
    (handover, Pusher { batches: receiver, context: context.clone(), pauses, pushing })
}

impl OpenQueues {
    /// Whether a row that is written now may be leased: a job that carries it would find room in this queue.
    pub(super) const fn contain(self, queue: QueueName) -> bool {
        self.0[queue as usize]
    }
}

impl Handover {
    /// The queues that are open at this moment.
    pub(super) fn open(&self) -> OpenQueues {
        let is_open = |queue: &QueueName| self.context.queue.is_open() && !self.pauses.is_on(*queue);
        let mut open = OpenQueues::default();
        QueueName::ALL.iter().for_each(|queue| open.0[*queue as usize] = is_open(queue));
        open
    }

    /// The same for what others must not wait for: none while earlier jobs wait.
    pub(super) fn open_at_once(&self) -> OpenQueues {
        let none_wait = self.batches.capacity() == self.batches.max_capacity();
        if none_wait && self.pushing.try_lock().is_ok() { self.open() } else { OpenQueues::default() }
    }

    /// Takes the jobs of a commit. Waits a moment while earlier ones are held back; then their rows are released.
    pub(super) async fn take(&self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        match timeout(PATIENCE, self.batches.reserve()).await {
            Ok(Ok(place)) => place.send(jobs),
            _ => release(&self.context, &jobs).await,
        }
    }
}

impl Pusher {
    /// Runs until every sender is gone, or `stop`; what is not pushed then is released.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while let Some(Some(jobs)) = stop.run_until_cancelled(self.batches.recv()).await {
            self.push(jobs).await;
        }
        self.batches.close();
        while let Ok(jobs) = self.batches.try_recv() {
            self.push(jobs).await;
        }
    }

    /// A batch's jobs stand queue by queue.
    async fn push(&self, jobs: Vec<Job>) {
        let _pushing = self.pushing.lock().await;
        for jobs in jobs.chunk_by(|a, b| a.queue() == b.queue()) {
            self.push_to(jobs[0].queue(), jobs).await;
        }
    }

    async fn push_to(&self, queue: QueueName, jobs: &[Job]) {
        match self.context.queue.push(queue, jobs).await {
            Ok(pushed) if pushed.jobs < jobs.len() => {
                self.pauses.begin(queue);
                release(&self.context, &jobs[pushed.jobs..]).await;
            }
            Ok(pushed) if queue == QueueName::Deliveries && pushed.waiting > CROWDED => {
                self.wait_for_workers(queue, pushed.waiting).await;
            }
            Ok(_) => {}
            Err(error) if error.is_outcome_known() => {
                debug!(%error, "jobs were not pushed; their rows are released");
                release(&self.context, jobs).await;
            }
            Err(error) => {
                debug!(%error, "jobs may not have been pushed; their rows wait for their lease to end")
            }
        }
    }

    /// Until workers have caught up, but not for long. A queue that does not move gets nothing for a while.
    async fn wait_for_workers(&self, queue: QueueName, waiting: usize) {
        let (began, mut least) = (Instant::now(), waiting);
        while least > CROWDED && began.elapsed() < PATIENCE {
            sleep(LOOK_EVERY).await;
            let Ok(depth) = self.context.queue.depth(queue).await else { return };
            least = least.min(depth);
        }
        if least == waiting {
            self.pauses.begin(queue);
        }
    }
}

impl Pauses {
    fn is_on(&self, queue: QueueName) -> bool {
        self.elapsed_ms() < self.until_ms[queue as usize].load(Ordering::Relaxed)
    }

    fn begin(&self, queue: QueueName) {
        let until = self.elapsed_ms() + u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX);
        self.until_ms[queue as usize].store(until, Ordering::Relaxed);
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Ends the leases of these jobs' rows and wakes the workers that claim them.
async fn release(context: &Context, jobs: &[Job]) {
    for table in [Table::Deliveries, Table::Uploads, Table::Broadcasts] {
        let leases: Vec<Lease> = jobs.iter().flat_map(|job| leases_of(&job.work, table)).collect();
        if let Err(error) = within_deadline(lease::release(&context.database, table, &leases)).await {
            warn!(%error, "leases could not be released; they end at their time");
        }
    }
    context.queue.wake();
}

fn leases_of(work: &Work, table: Table) -> Vec<Lease> {
    match (work, table) {
        (Work::Deliveries(handover), Table::Deliveries) => {
            handover.deliveries.iter().map(|delivery| (delivery.id, delivery.claim)).collect()
        }
        (Work::Upload(leased), Table::Uploads) | (Work::Broadcast(leased), Table::Broadcasts) => {
            vec![(leased.id, leased.claim)]
        }
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_is_full_closes_no_other() {
        let pauses = Pauses { start: Instant::now(), until_ms: Arc::default() };
        pauses.begin(QueueName::Uploads);
        let on: Vec<_> = QueueName::ALL.iter().filter(|queue| pauses.is_on(**queue)).collect();
        assert_eq!(on, [&QueueName::Uploads]);
    }
}
