//! The queue against a real Redis and a real apalis worker. Needs `TEST_REDIS_URL` or `redis-server` in the PATH; the
//! tests that break the server always start their own.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod health;
mod layout;
mod memory;
mod server;
mod wake;
mod window;

use std::time::Duration;

use platform::queue::{Backend, Queue, redis::RedisQueue};
use uuid::Uuid;

/// Longest time that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

fn ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::now_v7()).collect()
}

fn redis_of(queue: &Queue) -> &RedisQueue {
    match queue.backend() {
        Backend::Redis(redis) => redis,
        Backend::Memory(_) => panic!("a queue in Redis"),
    }
}

/// Waits for what only another process knows, so that nothing can signal it.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while !holds().await {
            looks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited too long: {what}"));
}
