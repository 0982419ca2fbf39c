//! A Redis that is full or read-only: pushes fail without effect, and work again afterwards.

use platform::queue::{Queue, QueueError};
use redis::{AsyncCommands, aio::MultiplexedConnection};

use super::{
    eventually,
    jobs::{NAME, Taker, job, jobs, push_all},
    server::{RedisServer, namespace},
};

async fn set(connection: &mut MultiplexedConnection, setting: &str, value: &str) {
    redis::cmd("CONFIG").arg("SET").arg(setting).arg(value).exec_async(connection).await.unwrap();
}

/// Redis refuses, and the error says that nothing was pushed.
async fn assert_refused(queue: &Queue, code: &str) {
    let error = queue.push(NAME, &[job(1)]).await.unwrap_err();
    assert!(error.is_outcome_known() && error.to_string().contains(code), "{error}");
    assert!(!queue.is_open());
    let error = queue.push(NAME, &[job(1)]).await.unwrap_err();
    assert!(error.is_outcome_known() && matches!(error, QueueError::Away), "one probe a second: {error}");
}

#[tokio::test]
async fn a_full_redis_refuses_jobs_and_hands_out_those_it_has() {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    let (mut connection, mut taker) = (server.connection().await, Taker::new(&queue, 2));
    let pushed = jobs(6, 3);
    push_all(&queue, &pushed).await;
    assert_eq!(taker.next().await, pushed[0]);

    connection.set::<_, _, ()>("ballast", vec![b'x'; 2 * 1024 * 1024]).await.unwrap();
    set(&mut connection, "maxmemory-policy", "noeviction").await;
    set(&mut connection, "maxmemory", "1mb").await;
    assert_refused(&queue, "OOM").await;
    assert_eq!(taker.next_jobs(5).await, pushed[1..], "taking needs no memory");

    set(&mut connection, "maxmemory", "0").await;
    let afterwards = job(2);
    let push = std::slice::from_ref(&afterwards);
    eventually("a push succeeds", async || queue.push(NAME, push).await.is_ok()).await;
    assert!(queue.is_open());
    assert_eq!(taker.next().await, afterwards);
    assert_eq!(taker.stop().await, []);
    assert_eq!(queue.depth(NAME).await.unwrap(), 0);
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_refuses_jobs_and_keeps_those_it_has() {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    let (mut connection, mut taker) = (server.connection().await, Taker::new(&queue, 1));
    let pushed = jobs(3, 2);
    push_all(&queue, &pushed).await;
    assert_eq!(taker.next().await, pushed[0]);

    set(&mut connection, "min-replicas-to-write", "1").await;
    assert_refused(&queue, "NOREPLICAS").await;
    let waiting = tokio::spawn(async move { (taker.next().await, taker) });
    eventually("it may be read", async || queue.depth(NAME).await.is_ok_and(|depth| depth > 0)).await;
    assert!(!waiting.is_finished());

    set(&mut connection, "min-replicas-to-write", "0").await;
    let afterwards = job(1);
    let push = std::slice::from_ref(&afterwards);
    eventually("a push succeeds", async || queue.push(NAME, push).await.is_ok()).await;
    let (first, mut taker) = waiting.await.unwrap();
    assert_eq!(first, pushed[1]);
    assert_eq!(taker.next_jobs(2).await, [pushed[2].clone(), afterwards]);
}
