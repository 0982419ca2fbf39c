//! The open loop: requests at a steady pace, whatever becomes of those before. Nothing that is slow slows it down, so that
//! no wait goes uncounted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{PostRequest, pool::Pool};

/// Requests under way at most: beyond, the API is down and the run is void.
const MOST_UNDER_WAY: usize = 8_192;

/// An open loop over requests in turn.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) address: String,
    pub(crate) requests: Vec<PostRequest>,
    pub(crate) per_second: f64,
    pub(crate) length: Duration,
}

/// One event that was published.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Published {
    /// Its id; none when it was not accepted.
    pub(crate) event: Option<Uuid>,
    /// When the request was due.
    pub(crate) asked: Instant,
    /// From then to the answer.
    pub(crate) answered: Duration,
}

impl Open {
    /// Runs it; in the order of answers.
    pub(crate) async fn run(self) -> Result<Vec<Published>> {
        let pool = Pool::new(&self.address);
        let requests: Vec<Arc<PostRequest>> = self.requests.into_iter().map(Arc::new).collect();
        let wait = Duration::from_secs_f64(1.0 / self.per_second);
        let (begun, mut number, mut under_way, mut all) = (Instant::now(), 0_u32, JoinSet::new(), vec![]);
        loop {
            let due = begun + wait * number;
            if due > begun + self.length {
                break;
            }
            tokio::time::sleep_until(due.into()).await;
            let request = Arc::clone(&requests[number as usize % requests.len()]);
            under_way.spawn(publish(pool.clone(), request));
            number += 1;
            while let Some(done) = under_way.try_join_next() {
                all.push(done?);
            }
            anyhow::ensure!(under_way.len() < MOST_UNDER_WAY, "{MOST_UNDER_WAY} requests wait for an answer");
        }
        while let Some(done) = under_way.join_next().await {
            all.push(done?);
        }
        Ok(all)
    }
}

async fn publish(pool: Pool, request: Arc<PostRequest>) -> Published {
    let asked = Instant::now();
    // Refused or broken: no event.
    let event = post(&pool, &request).await.ok();
    Published { event, asked, answered: asked.elapsed() }
}

async fn post(pool: &Pool, request: &PostRequest) -> Result<Uuid> {
    let (status, body) = pool.post(request).await?;
    anyhow::ensure!(status == 202, "{status}");
    let answer: Value = serde_json::from_slice(&body)?;
    answer["id"].as_str().and_then(|id| id.parse().ok()).context("an event has an id")
}
