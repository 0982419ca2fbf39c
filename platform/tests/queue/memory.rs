//! The in-memory queue keeps the same promises as Redis.

use apalis_core::{backend::Backend as _, worker::context::WorkerContext};
use domain::job::{Hint, MAX_IDS_PER_JOB, QueueName, WINDOW};
use platform::queue::{Backend, Queue};

use super::ids;

async fn take(queue: &Queue, name: QueueName) -> Hint {
    let Backend::Memory(memory) = queue.backend() else { panic!("a queue in memory") };
    let mut storage = memory.storage(name);
    let worker = WorkerContext::new("test");
    let job = std::future::poll_fn(|cx| storage.poll_next(cx, &worker)).await;
    job.expect("the queue never ends").expect("memory does not fail").args
}

#[tokio::test]
async fn the_window_is_exact_and_a_taken_job_makes_room() {
    let (queue, name) = (Queue::memory(), QueueName::Deliveries);
    assert_eq!(queue.push(name, &Hint::of(&ids(WINDOW - 1))).await.unwrap(), WINDOW - 1);
    assert_eq!(queue.push(name, &Hint::of(&ids(2))).await.unwrap(), 1);
    assert_eq!(queue.push(name, &Hint::of(&ids(1))).await.unwrap(), 0);
    assert_eq!(queue.depth(name).await.unwrap(), WINDOW);
    let taken = take(&queue, name).await.ids.len();
    assert_eq!(queue.depth(name).await.unwrap(), WINDOW - taken);
    assert_eq!(queue.push(name, &Hint::of(&ids(WINDOW))).await.unwrap(), taken);
}

#[tokio::test]
async fn a_job_never_carries_more_than_the_limit() {
    let (queue, name, ids) = (Queue::memory(), QueueName::Uploads, ids(MAX_IDS_PER_JOB + 1));
    assert_eq!(queue.push(name, &Hint::of(&ids).caused_by(Some("request"))).await.unwrap(), ids.len());
    let (first, second) = (take(&queue, name).await, take(&queue, name).await);
    assert_eq!(first.ids, ids[..MAX_IDS_PER_JOB]);
    assert_eq!(second.ids, ids[MAX_IDS_PER_JOB..]);
    assert_eq!(second.request_id.as_deref(), Some("request"));
    assert_eq!(queue.depth(name).await.unwrap(), 0);
}

#[tokio::test]
async fn queues_do_not_share_a_window() {
    let queue = Queue::memory();
    assert_eq!(queue.push(QueueName::Deliveries, &Hint::of(&ids(WINDOW))).await.unwrap(), WINDOW);
    assert_eq!(queue.push(QueueName::Uploads, &Hint::of(&ids(3))).await.unwrap(), 3);
}

#[tokio::test]
async fn a_wake_reaches_whoever_listens() {
    let queue = Queue::memory();
    let mut woken = queue.woken();
    queue.clone().wake();
    assert!(woken.has_changed().unwrap());
    woken.changed().await.unwrap();
}
