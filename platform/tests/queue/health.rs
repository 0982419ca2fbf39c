//! Redis away, paused and back: callers never wait long, and nothing needs a restart.

use std::time::{Duration, Instant};

use domain::job::{Hint, QueueName};
use platform::queue::{Queue, QueueError, redis::CALL_TIMEOUT};

use super::{
    eventually, ids,
    server::{RedisServer, namespace},
};

const NAME: QueueName = QueueName::Deliveries;
/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_killed_redis_fails_fast_and_heals_when_it_is_back() {
    let mut server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    assert_eq!(queue.push(NAME, &Hint::of(&ids(3))).await.unwrap(), 3);
    server.kill();
    assert!(matches!(queue.push(NAME, &Hint::of(&ids(1))).await, Err(QueueError::Redis(_))));
    assert!(!queue.is_healthy());
    assert!(
        matches!(queue.push(NAME, &Hint::of(&ids(1))).await, Err(QueueError::Away)),
        "one probe a second"
    );
    server.start().await;
    eventually("a probe finds it", async || queue.push(NAME, &Hint::of(&ids(1))).await.is_ok()).await;
    assert!(queue.is_healthy());
    assert_eq!(queue.depth(NAME).await.unwrap(), 1, "what it held is gone, and the count knows");
}

#[tokio::test]
async fn a_paused_redis_holds_nobody_longer_than_the_deadline() {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    server.pause();
    let begun = Instant::now();
    assert!(queue.push(NAME, &Hint::of(&ids(1))).await.is_err());
    assert!(begun.elapsed() < CALL_TIMEOUT + SLACK, "took {:?}", begun.elapsed());
    let begun = Instant::now();
    for _ in 0..1_000 {
        assert!(matches!(queue.push(NAME, &Hint::of(&ids(1))).await, Err(QueueError::Away)));
    }
    assert!(begun.elapsed() < SLACK, "took {:?}", begun.elapsed());
    server.resume();
    eventually("a probe finds it", async || queue.depth(NAME).await.is_ok()).await;
    assert!(queue.is_healthy());
}

#[tokio::test]
async fn a_flushed_redis_counts_from_nothing() {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    assert_eq!(queue.push(NAME, &Hint::of(&ids(5_000))).await.unwrap(), 4_096);
    redis::cmd("FLUSHALL").exec_async(&mut server.connection().await).await.unwrap();
    assert_eq!(queue.depth(NAME).await.unwrap(), 0);
    assert_eq!(queue.push(NAME, &Hint::of(&ids(5_000))).await.unwrap(), 4_096);
}

#[tokio::test]
async fn an_absent_redis_is_no_error_at_start_but_a_bad_address_is() {
    let mut server = RedisServer::own().await;
    server.kill();
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    assert!(!queue.is_healthy());
    server.start().await;
    eventually("a probe finds it", async || queue.depth(NAME).await.is_ok()).await;
    assert!(matches!(Queue::redis("http://127.0.0.1").await, Err(QueueError::Address(_))));
}
