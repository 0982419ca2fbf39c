//! Queue workers on a real Redis and in memory. Needs `TEST_REDIS_URL` or `redis-server` in the PATH; the drills that
//! break the server always start their own.

mod drills;
mod leftovers;
#[path = "../../../../platform/tests/queue/server.rs"]
mod server;
mod suite;

use std::time::Duration;

use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use uuid::Uuid;

use super::*;

/// Longest time that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);
const NAME: QueueName = QueueName::Deliveries;

/// A supervised worker and what its handlers said.
struct Crew {
    status: WorkerStatus,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Crew {
    fn start<F>(
        queue: &Queue,
        concurrency: usize,
        handler: impl Fn(Hint) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let (options, stop) = (WorkerOptions::new(concurrency), CancellationToken::new());
        let status = options.status.clone();
        let task = tokio::spawn(run(queue.clone(), NAME, options, handler, stop.clone()));
        Self { status, stop, task }
    }

    /// A worker that only says what it was given.
    fn listening(queue: &Queue, concurrency: usize) -> (Self, mpsc::UnboundedReceiver<Hint>) {
        let (seen, hints) = mpsc::unbounded_channel();
        let crew = Self::start(queue, concurrency, move |hint| {
            let seen = seen.clone();
            async move { Ok(seen.send(hint)?) }
        });
        (crew, hints)
    }

    async fn until(&self, what: &str, holds: impl FnMut(&(WorkerState, u64)) -> bool) {
        let mut changes = self.status.changes();
        let seen = timeout(PATIENCE, changes.wait_for(holds)).await;
        drop(seen.unwrap_or_else(|_| panic!("waited too long: {what}")).expect("the status lives"));
    }

    async fn running(&self) {
        self.until("the worker runs", |(state, _)| *state == WorkerState::Running).await;
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.task).await.expect("the worker ends").expect("it does not panic");
        assert_eq!(self.status.state(), WorkerState::Stopped);
    }
}

fn ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::now_v7()).collect()
}

async fn next<T>(said: &mut mpsc::UnboundedReceiver<T>) -> T {
    timeout(PATIENCE, said.recv()).await.expect("a handler speaks in time").expect("the worker lives")
}

/// The first `count` ids that come; a hint may come twice.
async fn handled(hints: &mut mpsc::UnboundedReceiver<Hint>, count: usize) -> Vec<Uuid> {
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < count {
        seen.extend(next(hints).await.ids);
    }
    seen.into_iter().collect()
}

/// Waits for what only another process knows, so that nothing can signal it.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while !holds().await {
            looks.tick().await;
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited too long: {what}"));
}
