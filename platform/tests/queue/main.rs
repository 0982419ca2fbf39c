//! The queue in memory and in a real Redis, with real sources and a real apalis worker. Needs `TEST_REDIS_URL` or
//! `redis-server` in the PATH; the tests that break the server always start their own.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod backends;
mod damage;
mod health;
mod jobs;
mod memory;
mod refusals;
mod server;
mod source;
mod wake;
mod window;
mod worker;

use std::time::Duration;

/// Longest time that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a fact that only another process knows, so that nothing can signal it.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let looking = async {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while !holds().await {
            looks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited too long: {what}"));
}
