//! Requests that carry a number each, in a closed or an open loop, entered in a ledger. Any platform that takes JSON over
//! HTTP/1.1 can be loaded so.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use super::{PostRequest, pool::Pool};
use crate::ledger::Ledger;

/// Requests of an open loop under way at most: beyond, the server is down and the run is void.
const MOST_UNDER_WAY: usize = 8_192;
/// Pause of a connection after an answer that was no 2xx, so that a broken server is not hammered.
const AFTER_REFUSAL: Duration = Duration::from_millis(20);

/// Makes the request of a number, which its label stands for.
pub(crate) type MakeRequest = dyn Fn(usize, &str) -> PostRequest + Send + Sync;

/// A load of labelled requests.
#[derive(Clone)]
pub(crate) struct Labelled {
    pub(crate) address: String,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) make: Arc<MakeRequest>,
    pub(crate) pace: Pace,
    pub(crate) length: Duration,
}

/// When the next request is made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each connection posts as soon as it has its answer.
    Closed { connections: usize },
    /// At a constant rate, however slow the answers are, so that no wait goes uncounted.
    Open { per_second: f64 },
}

impl Labelled {
    /// Runs until `length` is over and every request is answered; the ledger has the result.
    ///
    /// # Errors
    /// When 8,192 requests of an open loop wait for an answer.
    pub(crate) async fn run(&self) -> Result<()> {
        match self.pace {
            Pace::Closed { connections } => self.run_closed(connections).await,
            Pace::Open { per_second } => self.run_open(per_second).await,
        }
    }

    async fn run_closed(&self, connections: usize) -> Result<()> {
        let (mut clients, end) = (JoinSet::new(), Instant::now() + self.length);
        for _ in 0..connections {
            clients.spawn(self.clone().client(end));
        }
        while let Some(done) = clients.join_next().await {
            done?;
        }
        Ok(())
    }

    /// One connection, opened again when it breaks.
    async fn client(self, end: Instant) {
        let pool = Pool::new(&self.address);
        while Instant::now() < end {
            let Some((number, request)) = self.next() else { return };
            if !post(&pool, &self.ledger, number, &request).await {
                tokio::time::sleep(AFTER_REFUSAL).await;
            }
        }
    }

    async fn run_open(&self, per_second: f64) -> Result<()> {
        let pool = Pool::new(&self.address);
        let wait = Duration::from_secs_f64(1.0 / per_second);
        let (begun, mut under_way) = (Instant::now(), JoinSet::new());
        for turn in 0_u32.. {
            let due = begun + wait * turn;
            if due > begun + self.length {
                break;
            }
            tokio::time::sleep_until(due.into()).await;
            let Some((number, request)) = self.next() else { break };
            let (pool, ledger) = (pool.clone(), Arc::clone(&self.ledger));
            under_way.spawn(async move { post(&pool, &ledger, number, &request).await });
            while under_way.try_join_next().is_some() {}
            ensure!(under_way.len() < MOST_UNDER_WAY, "{MOST_UNDER_WAY} requests wait for an answer");
        }
        under_way.join_all().await;
        Ok(())
    }

    fn next(&self) -> Option<(usize, PostRequest)> {
        let number = self.ledger.next()?;
        Some((number, (self.make)(number, &self.ledger.label(number))))
    }
}

/// Posts and enters the answer; returns whether the request was accepted.
async fn post(pool: &Pool, ledger: &Ledger, number: usize, request: &PostRequest) -> bool {
    let answer = pool.post(request).await;
    ledger.answered(number, answer.ok().map(|(status, _)| status))
}
