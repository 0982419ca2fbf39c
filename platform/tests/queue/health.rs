//! Redis stopped, paused and back: callers never wait long, and nothing needs a restart.

use std::time::{Duration, Instant};

use platform::queue::{Pushed, Queue, QueueError, redis::CALL_TIMEOUT};

use super::{
    backends::Backends,
    eventually,
    jobs::{NAME, job, jobs, push_all},
    server::{RedisServer, namespace},
};

/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_killed_redis_fails_fast_and_heals_when_it_is_back() {
    let mut server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    assert_eq!(push_all(&queue, &jobs(1, 3)).await.waiting, 3);
    server.kill();
    let broken = queue.push(NAME, &[job(1)]).await.unwrap_err();
    assert!(matches!(broken, QueueError::Redis(_)), "{broken}");
    assert!(!queue.is_healthy());
    let away = queue.push(NAME, &[job(1)]).await.unwrap_err();
    assert!(matches!(away, QueueError::Away) && away.is_outcome_known(), "one probe a second: {away}");
    eventually("a probe is refused", async || {
        let error = queue.push(NAME, &[job(1)]).await.unwrap_err();
        assert!(error.is_outcome_known(), "it was not reached: {error}");
        matches!(error, QueueError::Redis(_))
    })
    .await;
    server.start().await;
    eventually("a probe finds it", async || queue.push(NAME, &[job(1)]).await.is_ok()).await;
    assert!(queue.is_healthy());
    assert_eq!(queue.depth(NAME).await.unwrap(), 1, "what it held is gone, and the count shows it");
}

#[tokio::test]
async fn a_paused_redis_holds_no_caller_longer_than_the_deadline() {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    server.pause();
    let begun = Instant::now();
    let error = queue.push(NAME, &[job(1)]).await.unwrap_err();
    assert!(begun.elapsed() < CALL_TIMEOUT + SLACK, "took {:?}", begun.elapsed());
    assert!(!error.is_outcome_known(), "it may have been pushed: {error}");
    let begun = Instant::now();
    for _ in 0..1_000 {
        assert!(matches!(queue.push(NAME, &[job(1)]).await, Err(QueueError::Away)));
    }
    assert!(begun.elapsed() < SLACK, "took {:?}", begun.elapsed());
    server.resume();
    eventually("a probe finds it", async || queue.depth(NAME).await.is_ok()).await;
    assert!(queue.is_healthy());
}

#[tokio::test]
async fn an_absent_redis_is_no_error_at_start_but_a_bad_address_is() {
    let mut server = RedisServer::own().await;
    server.kill();
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    assert!(!queue.is_healthy());
    assert!(!queue.is_open());
    server.start().await;
    eventually("a probe finds it", async || queue.depth(NAME).await.is_ok()).await;
    assert!(queue.is_open());
    let error = Queue::redis("http://127.0.0.1").await.err().expect("not an address of a Redis");
    assert!(matches!(error, QueueError::Address(_)) && error.is_outcome_known());
}

#[tokio::test]
async fn a_paused_queue_is_healthy_but_not_open_in_this_process_only() {
    let backends = Backends::start().await;
    let others = backends.as_other_process().await;
    for (name, queue) in backends.each() {
        assert!(queue.is_open(), "{name}");
        queue.clone().pause();
        assert!(!queue.is_open() && queue.is_healthy(), "{name}: clones are one queue");
        queue.resume();
        assert!(queue.is_open(), "{name}");
        assert_eq!(queue.push(NAME, &[job(1)]).await.unwrap(), Pushed { jobs: 1, waiting: 1 }, "{name}");
        queue.pause();
    }
    let [_, other_redis] = others;
    assert!(other_redis.is_open(), "another process");
}
