//! Jobs for tests, and sources of them.

use domain::{
    clock::Millis,
    job::{HandedDelivery, Handover, Job, Leased, QueueName, Work},
};
use futures_util::{StreamExt, stream::BoxStream};
use platform::queue::{Pushed, Queue};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::PATIENCE;

/// The queue that most tests use.
pub const NAME: QueueName = QueueName::Deliveries;

/// A job with this many deliveries of one event.
pub fn job(deliveries: usize) -> Job {
    let (mut handover, event) = (Handover::default(), Uuid::now_v7());
    for _ in 0..deliveries {
        let delivery = HandedDelivery {
            id: Uuid::now_v7(),
            event: 0,
            user_id: Some(1),
            endpoint_id: Uuid::now_v7(),
            claim: 1,
            has_own_body: false,
            body: None,
        };
        handover.push(event, Some("{}"), delivery);
    }
    job_of(Work::Deliveries(handover))
}

/// This many jobs with that many deliveries each.
pub fn jobs(count: usize, deliveries: usize) -> Vec<Job> {
    (0..count).map(|_| job(deliveries)).collect()
}

/// A job of the queue of uploads.
pub fn upload() -> Job {
    job_of(Work::Upload(Leased { id: Uuid::now_v7(), claim: 1 }))
}

fn job_of(work: Work) -> Job {
    Job { accepted_at: Millis(1_000), lease_until: Millis(16_000), work, request_id: None }
}

/// What these jobs count in the window.
pub fn weight<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> usize {
    jobs.into_iter().map(Job::weight).sum()
}

/// The deliveries of these jobs, in order.
pub fn deliveries<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Vec<Uuid> {
    let of_job = |job: &'a Job| match &job.work {
        Work::Deliveries(handover) => handover.deliveries.iter().map(|delivery| delivery.id),
        _ => panic!("a job of deliveries"),
    };
    jobs.into_iter().flat_map(of_job).collect()
}

/// Pushes jobs that all fit, over several pushes where one may not carry them all.
pub async fn push_all(queue: &Queue, jobs: &[Job]) -> Pushed {
    let (mut left, mut last) = (jobs, Pushed::default());
    while !left.is_empty() {
        last = queue.push(NAME, left).await.unwrap();
        assert!(last.jobs > 0, "{} jobs do not fit: {last:?}", left.len());
        left = &left[last.jobs..];
    }
    last
}

/// A source of a queue, and what stops it.
pub struct Taker {
    jobs: BoxStream<'static, Job>,
    stop: CancellationToken,
}

impl Taker {
    /// A source that takes at most `at_once` jobs from Redis in one step.
    pub fn new(queue: &Queue, at_once: usize) -> Self {
        let stop = CancellationToken::new();
        Self { jobs: queue.jobs(NAME, at_once, stop.clone()), stop }
    }

    /// The next job.
    pub async fn next(&mut self) -> Job {
        let next = timeout(PATIENCE, self.jobs.next()).await.expect("a job waits");
        next.expect("a source without a stop does not end")
    }

    /// The next jobs.
    pub async fn next_jobs(&mut self, count: usize) -> Vec<Job> {
        let mut jobs = Vec::new();
        for _ in 0..count {
            jobs.push(self.next().await);
        }
        jobs
    }

    /// Stops the source; returns what it had taken.
    pub async fn stop(self) -> Vec<Job> {
        self.stop.cancel();
        timeout(PATIENCE, self.jobs.collect()).await.expect("the source ends")
    }
}
