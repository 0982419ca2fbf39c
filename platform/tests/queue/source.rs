//! The source of a worker: it survives every failure of Redis, and ends with the jobs that it has popped.

use platform::queue::{MAX_REQUEST_ID_BYTES, Queue, request_id_for_job};

use super::{
    eventually,
    jobs::{NAME, Taker, job, jobs, push_all},
    server::{RedisServer, namespace},
};

#[tokio::test]
async fn a_stop_hands_out_what_was_taken_from_redis_and_leaves_the_rest() {
    let server = RedisServer::any().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    let pushed = jobs(10, 3);
    push_all(&queue, &pushed).await;
    let mut taker = Taker::new(&queue, 4);
    assert_eq!(taker.next().await, pushed[0]);
    assert_eq!(taker.stop().await, pushed[1..4]);
    assert_eq!(Taker::new(&queue, 16).next_jobs(6).await, pushed[4..]);
}

#[tokio::test]
async fn a_source_that_waits_ends_soon_after_the_stop() {
    let server = RedisServer::any().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    assert_eq!(Taker::new(&queue, 4).stop().await, [], "before its first pop");
    let mut taker = Taker::new(&queue, 4);
    let first = job(1);
    push_all(&queue, std::slice::from_ref(&first)).await;
    assert_eq!(taker.next().await, first);
    assert_eq!(taker.stop().await, []);
}

#[tokio::test]
async fn a_source_goes_on_after_redis_was_killed() {
    let mut server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    let mut taker = Taker::new(&queue, 4);
    push_all(&queue, &jobs(1, 1)).await;
    taker.next().await;
    let waiting = tokio::spawn(async move { taker.next().await });
    server.kill();
    server.start().await;
    let afterwards = job(2);
    let push = std::slice::from_ref(&afterwards);
    eventually("a push succeeds", async || queue.push(NAME, push).await.is_ok()).await;
    assert_eq!(waiting.await.unwrap(), afterwards);
    eventually("nothing waits", async || queue.depth(NAME).await.unwrap() <= afterwards.weight()).await;
}

#[tokio::test]
async fn a_source_that_finds_no_redis_waits_for_it_or_for_the_stop() {
    let mut server = RedisServer::own().await;
    server.kill();
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    assert_eq!(Taker::new(&queue, 4).stop().await, []);
    let mut taker = Taker::new(&queue, 4);
    let waiting = tokio::spawn(async move { taker.next().await });
    server.start().await;
    let pushed = job(1);
    let push = std::slice::from_ref(&pushed);
    eventually("a push succeeds", async || queue.push(NAME, push).await.is_ok()).await;
    assert_eq!(waiting.await.unwrap(), pushed);
}

#[tokio::test]
async fn a_source_goes_on_after_redis_was_paused() {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    let mut taker = Taker::new(&queue, 4);
    push_all(&queue, &jobs(1, 1)).await;
    taker.next().await;
    let waiting = tokio::spawn(async move { taker.next().await });
    server.pause();
    eventually("a call notices", async || queue.depth(NAME).await.is_err()).await;
    server.resume();
    // A pop that was sent before the pause may take a job for a connection that is gone.
    eventually("a job comes through again", async || {
        let _ = queue.push(NAME, &[job(1)]).await;
        waiting.is_finished()
    })
    .await;
    waiting.await.unwrap();
}

#[test]
fn a_request_id_that_is_too_long_is_left_out() {
    let longest = "r".repeat(MAX_REQUEST_ID_BYTES);
    assert_eq!(request_id_for_job(Some(&longest)), Some(longest.clone()));
    assert_eq!(request_id_for_job(Some(&format!("{longest}r"))), None);
    assert_eq!(request_id_for_job(None), None);
}
