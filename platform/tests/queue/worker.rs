//! The queue as the source of an apalis worker.

use std::sync::{Arc, Mutex};

use apalis::prelude::{BoxDynError, WorkerBuilder, WorkerBuilderExt, WorkerError};
use domain::job::Job;
use platform::queue::Queue;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    PATIENCE,
    backends::Backends,
    jobs::{NAME, deliveries, job, jobs, push_all},
};

const CONCURRENCY: usize = 3;
const AT_ONCE: usize = 4;

/// A worker whose handlers note what they begin and end, and wait for the gate in between.
struct Worker {
    begun: mpsc::UnboundedReceiver<Job>,
    handled: Arc<Mutex<Vec<Job>>>,
    gate: Arc<Semaphore>,
    stop: CancellationToken,
    run: JoinHandle<Result<(), WorkerError>>,
}

impl Worker {
    /// Handlers of jobs for which `panics` panic.
    fn start(queue: &Queue, panics: fn(&Job) -> bool) -> Self {
        let (noted, begun) = mpsc::unbounded_channel();
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let (handled, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
        let shared = (noted, Arc::clone(&handled), Arc::clone(&gate));
        let worker = WorkerBuilder::new("test")
            .backend(queue.storage(NAME, AT_ONCE, stop.clone(), ended.clone()))
            .concurrency(CONCURRENCY)
            .catch_panic()
            .build(move |job: Job| {
                let (noted, handled, gate): (_, Arc<Mutex<Vec<Job>>>, Arc<Semaphore>) = shared.clone();
                async move {
                    noted.send(job.clone()).expect("the test listens");
                    assert!(!panics(&job), "this job panics on purpose");
                    gate.acquire().await?.forget();
                    handled.lock().expect("no test panics with it").push(job);
                    Ok::<(), BoxDynError>(())
                }
            });
        let ending = async move {
            ended.cancelled().await;
            Ok::<(), WorkerError>(())
        };
        let run = tokio::spawn(worker.run_until(ending));
        Self { begun, handled, gate, stop, run }
    }

    /// Lets that many handlers end.
    fn open(&self, handlers: usize) {
        self.gate.add_permits(handlers);
    }

    async fn wait_for(&mut self, begun: usize) {
        for _ in 0..begun {
            timeout(PATIENCE, self.begun.recv()).await.expect("a handler begins").unwrap();
        }
    }

    /// Waits for the end of the worker; returns the deliveries that it handled, sorted.
    async fn end(self) -> Vec<Uuid> {
        self.stop.cancel();
        timeout(PATIENCE, self.run).await.expect("the worker ends").unwrap().expect("an orderly end");
        let mut handled = deliveries(&*self.handled.lock().unwrap());
        handled.sort();
        handled
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_handles_every_job_once() {
    let backends = Backends::start().await;
    for (name, queue) in backends.each() {
        let mut worker = Worker::start(queue, |_| false);
        let pushed = jobs(300, 2);
        worker.open(pushed.len());
        push_all(queue, &pushed).await;
        worker.wait_for(pushed.len()).await;
        assert_eq!(worker.end().await, deliveries(&pushed), "{name}");
        assert_eq!(queue.depth(NAME).await.unwrap(), 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_ends_only_its_job() {
    let backends = Backends::start().await;
    for (name, queue) in backends.each() {
        let mut worker = Worker::start(queue, |job| job.weight() == 1);
        let pushed: Vec<Job> = (0..20).map(|n| job(1 + n % 2)).collect();
        worker.open(pushed.len());
        push_all(queue, &pushed).await;
        worker.wait_for(pushed.len()).await;
        let expected = deliveries(pushed.iter().filter(|job| job.weight() == 2));
        assert_eq!(worker.end().await, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_running_handlers_end_and_hands_out_what_was_taken() {
    let backends = Backends::start().await;
    for (name, queue) in backends.each() {
        let pushed = jobs(50, 1);
        push_all(queue, &pushed).await;
        let mut worker = Worker::start(queue, |_| false);
        worker.wait_for(CONCURRENCY).await;
        worker.stop.cancel();
        worker.open(CONCURRENCY);
        worker.wait_for(1).await;
        assert!(!worker.run.is_finished(), "{name}: a handler still runs");
        worker.open(pushed.len());

        let handled = worker.end().await;
        let left = queue.depth(NAME).await.unwrap();
        assert_eq!(handled, deliveries(&pushed[..handled.len()]), "{name}: each once, in order");
        assert_eq!(handled.len() + left, pushed.len(), "{name}: nothing is lost");
        match name {
            "memory" => assert_eq!(left, 0, "nothing outlives the process"),
            _ => assert!((AT_ONCE..=2 * AT_ONCE).contains(&handled.len()), "{} handled", handled.len()),
        }
    }
}
