//! The closed loop: so many connections, each posts as soon as it is answered.
//! With a bound on what is accepted and has not arrived, so that a rate is measured and not a pile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{Connection, PostRequest};
use crate::{measure::Histogram, receiver::Receiver};

/// Pause of a connection while enough is under way.
const PAUSE: Duration = Duration::from_millis(1);
/// Pause after an answer that was no accept, so that a broken API is not hammered.
const AFTER_REFUSAL: Duration = Duration::from_millis(20);

/// A closed loop.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    pub(crate) address: String,
    pub(crate) request: PostRequest,
    pub(crate) connections: usize,
    /// Deliveries that each event makes.
    pub(crate) deliveries: u64,
    /// Most deliveries accepted and not arrived.
    pub(crate) under_way: u64,
    /// Events after which it ends early.
    pub(crate) most: u64,
    pub(crate) length: Duration,
}

/// What a loop came to.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Events accepted.
    pub(crate) accepted: u64,
    /// Requests refused or broken.
    pub(crate) refused: u64,
    /// From request to answer, in microseconds.
    pub(crate) latencies: Histogram,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
}

struct Shared {
    plan: Closed,
    accepted: AtomicU64,
    arrived_before: u64,
    end: Instant,
}

impl Closed {
    /// Runs it.
    pub(crate) async fn run(self, receiver: &Receiver) -> Result<Loaded> {
        let begun = Instant::now();
        let shared = Arc::new(Shared {
            accepted: AtomicU64::new(0),
            arrived_before: receiver.count(),
            end: begun + self.length,
            plan: self,
        });
        let count = receiver.counter();
        let mut clients = JoinSet::new();
        for _ in 0..shared.plan.connections {
            clients.spawn(client(Arc::clone(&shared), Arc::clone(&count)));
        }
        let mut all = Loaded::default();
        while let Some(one) = clients.join_next().await {
            all.add(&one??);
        }
        all.took = begun.elapsed();
        Ok(all)
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        Instant::now() >= self.end || self.accepted.load(Relaxed) >= self.plan.most
    }

    fn is_full(&self, arrived: u64) -> bool {
        let accepted = self.accepted.load(Relaxed) * self.plan.deliveries;
        accepted.saturating_sub(arrived - self.arrived_before) >= self.plan.under_way
    }
}

impl Loaded {
    fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.latencies.add(&other.latencies);
    }
}

async fn client(shared: Arc<Shared>, arrived: Arc<AtomicU64>) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut connection = Connection::open(&shared.plan.address).await?;
    while !shared.is_over() {
        if shared.is_full(arrived.load(Relaxed)) {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let asked = Instant::now();
        let answer = connection.post(&shared.plan.request).await;
        match answer {
            Ok((202, body)) => {
                loaded.latencies.note(asked.elapsed());
                let accepted = accepted_of(&shared.plan.request, &body);
                loaded.accepted += accepted;
                loaded.refused += shared.plan.request.events - accepted;
                shared.accepted.fetch_add(accepted, Relaxed);
            }
            Ok(_) => {
                loaded.refused += 1;
                tokio::time::sleep(AFTER_REFUSAL).await;
            }
            Err(_) => {
                loaded.refused += 1;
                tokio::time::sleep(AFTER_REFUSAL).await;
                connection = Connection::open(&shared.plan.address).await?;
            }
        }
    }
    Ok(loaded)
}

/// A 202 to a batch may refuse some of it.
fn accepted_of(request: &PostRequest, body: &[u8]) -> u64 {
    if request.events == 1 {
        return 1;
    }
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let each = answer["data"].as_array().map_or(&[][..], Vec::as_slice);
    each.iter().filter(|one| one["deliveries"].is_number()).count() as u64
}
