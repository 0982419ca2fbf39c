//! What stays in Redis after the work.

use domain::job::WINDOW;
use platform::queue::redis::SWEEP_LIMIT;

use super::{server::RedisServer, *};

async fn keys(server: &RedisServer) -> usize {
    ::redis::cmd("DBSIZE").query_async(&mut server.connection().await).await.expect("a count")
}

async fn work(queue: &Queue, hints: &mut mpsc::UnboundedReceiver<Hint>, count: usize) {
    let mut left = ids(count);
    while !left.is_empty() {
        for chunk in left.clone().chunks(1).take(WINDOW / 8) {
            left.drain(..queue.push(NAME, &Hint::of(chunk)).await.expect("a push"));
        }
    }
    handled(hints, count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_janitor_keeps_the_number_of_keys_level_while_workers_run() {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), "level").await.expect("a queue");
    let stop = CancellationToken::new();
    let sweeping = tokio::spawn(janitor(queue.clone(), stop.clone()));
    let (crew, mut hints) = Crew::listening(&queue, 64);
    for _ in 0..3 {
        work(&queue, &mut hints, 1_500).await;
        // The worker, its metadata and the list of queues stay.
        eventually("only the worker is left", async || keys(&server).await <= 3).await;
    }
    assert_eq!(crew.status.restarts(), 0);
    crew.end().await;
    eventually("the worker is forgotten", async || keys(&server).await <= 1).await;
    stop.cancel();
    sweeping.await.expect("the janitor ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_is_a_bounded_step_and_leaves_waiting_jobs_alone() {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), "steps").await.expect("a queue");
    let (crew, mut hints) = Crew::listening(&queue, 64);
    work(&queue, &mut hints, SWEEP_LIMIT + 20).await;
    crew.end().await;
    assert_eq!(queue.push(NAME, &Hint::of(&ids(40))).await.expect("a push"), 40);
    assert_eq!(queue.sweep_finished(NAME).await.expect("a sweep"), SWEEP_LIMIT);
    assert_eq!(queue.sweep_finished(NAME).await.expect("a sweep"), 20);
    assert_eq!(queue.sweep_finished(NAME).await.expect("a sweep"), 0);
    assert_eq!(queue.depth(NAME).await.expect("a count"), 40);
    let (crew, mut hints) = Crew::listening(&queue, 64);
    handled(&mut hints, 40).await;
    crew.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_belongs_to_no_job_goes_when_nothing_waits() {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), "lost").await.expect("a queue");
    queue.push(NAME, &Hint::of(&ids(40))).await.expect("a push");
    ::redis::cmd("DEL")
        .arg("lost:deliveries:active")
        .exec_async(&mut server.connection().await)
        .await
        .expect("a loss");
    assert_eq!(queue.sweep_finished(NAME).await.expect("a sweep"), 2);
    assert_eq!(keys(&server).await, 0);
}
