//! The window, with many processes pushing at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use apalis_core::{backend::ext::BackendExt, worker::builder::WorkerBuilder};
use apalis_redis::RedisStorage;
use domain::job::{Hint, MAX_IDS_PER_JOB, QueueName, WINDOW};
use platform::queue::Queue;
use redis::AsyncCommands;
use tokio::task::JoinSet;

use super::{
    PATIENCE, ids, redis_of,
    server::{RedisServer, namespace},
};

const NAME: QueueName = QueueName::Deliveries;
const PUSHERS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn ten_pushers_fill_the_window_to_the_last_id_and_never_pass_it() {
    let (server, namespace) = (RedisServer::any().await, namespace());
    let mut pushers = JoinSet::new();
    for pusher in 0..PUSHERS {
        let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
        pushers.spawn(async move {
            let mut taken = 0;
            loop {
                let offered = 1 + (taken + pusher * 7) % 70;
                let pushed = queue.push(NAME, &Hint::of(&ids(offered))).await.unwrap();
                taken += pushed;
                if pushed < offered {
                    return taken;
                }
            }
        });
    }
    let taken: usize = pushers.join_all().await.into_iter().sum();
    assert_eq!(taken, WINDOW);
    let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
    assert_eq!(queue.depth(NAME).await.unwrap(), WINDOW);
    assert_eq!(queue.push(NAME, &Hint::of(&ids(1))).await.unwrap(), 0);
    assert_eq!(
        queue.push(QueueName::Uploads, &Hint::of(&ids(1))).await.unwrap(),
        1,
        "each queue has its own window"
    );
}

#[tokio::test]
async fn a_single_push_is_cut_at_the_window_and_at_the_job() {
    let (server, namespace) = (RedisServer::any().await, namespace());
    let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
    assert_eq!(queue.push(NAME, &Hint::of(&[])).await.unwrap(), 0);
    assert_eq!(queue.push(NAME, &Hint::of(&ids(WINDOW + 1))).await.unwrap(), WINDOW);
    let config = redis_of(&queue).config(NAME);
    let mut connection = server.connection().await;
    let jobs: Vec<(String, Vec<u8>)> = connection.hgetall(config.job_data_hash()).await.unwrap();
    assert_eq!(jobs.len(), WINDOW / MAX_IDS_PER_JOB);
    for (_, job) in jobs {
        let hint: Hint = serde_json::from_slice(&job).unwrap();
        assert_eq!(hint.ids.len(), MAX_IDS_PER_JOB);
    }
}

#[tokio::test]
async fn thirty_three_ids_are_two_jobs() {
    let (server, namespace) = (RedisServer::any().await, namespace());
    let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
    assert_eq!(queue.push(NAME, &Hint::of(&ids(MAX_IDS_PER_JOB + 1))).await.unwrap(), MAX_IDS_PER_JOB + 1);
    let mut connection = server.connection().await;
    let jobs: usize = connection.llen(redis_of(&queue).config(NAME).active_jobs_list()).await.unwrap();
    assert_eq!(jobs, 2);
    assert_eq!(queue.depth(NAME).await.unwrap(), MAX_IDS_PER_JOB + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_stays_true_while_workers_take_jobs() {
    const PER_PUSHER: usize = 2_000;
    let (server, namespace) = (RedisServer::any().await, namespace());
    let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let handled = Arc::new(AtomicUsize::new(0));
    let worker = tokio::spawn(work(queue.clone(), Arc::clone(&handled)));
    let mut pushers = JoinSet::new();
    for _ in 0..PUSHERS {
        let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
        pushers.spawn(async move {
            let mut left = ids(PER_PUSHER);
            while !left.is_empty() {
                let taken = queue.push(NAME, &Hint::of(&left[..left.len().min(70)])).await.unwrap();
                left.drain(..taken);
                assert!(queue.depth(NAME).await.unwrap() <= WINDOW);
            }
        });
    }
    tokio::time::timeout(PATIENCE, pushers.join_all()).await.expect("the worker makes room");
    super::eventually("all are handled", async || {
        handled.load(Ordering::Relaxed) == PUSHERS * PER_PUSHER && queue.depth(NAME).await.unwrap() == 0
    })
    .await;
    worker.abort();
}

async fn work(queue: Queue, handled: Arc<AtomicUsize>) {
    let redis = redis_of(&queue);
    let storage = RedisStorage::<Hint, _>::new(redis.connect().await.unwrap())
        .with_config(redis.config(NAME).batch_size(16))
        .poll_with_interval(std::time::Duration::from_millis(2));
    let worker = WorkerBuilder::new("window").backend(storage).build(move |hint: Hint| {
        handled.fetch_add(hint.ids.len(), Ordering::Relaxed);
        std::future::ready(())
    });
    worker.run().await.unwrap();
}
