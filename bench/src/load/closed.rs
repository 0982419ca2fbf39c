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
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{Connection, PostRequest};
use crate::{measure::Histogram, receiver::Receiver};

/// How often what has arrived makes room for more. One task checks, not each connection: that took a third of a
/// core from what is measured.
const LOOK_EVERY: Duration = Duration::from_millis(1);
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
    /// Most deliveries asked for and not arrived.
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
    /// Deliveries that may be asked for; closed when it is over.
    room: Semaphore,
    end: Instant,
}

impl Closed {
    /// Runs it.
    pub(crate) async fn run(self, receiver: &Receiver) -> Result<Loaded> {
        let begun = Instant::now();
        let room = usize::try_from(self.under_way).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS / 2);
        let shared = Arc::new(Shared {
            accepted: AtomicU64::new(0),
            room: Semaphore::new(room),
            end: begun + self.length,
            plan: self,
        });
        let mut clients = JoinSet::new();
        for _ in 0..shared.plan.connections {
            clients.spawn(client(Arc::clone(&shared)));
        }
        let making_room = tokio::spawn(make_room(Arc::clone(&shared), receiver.counter()));
        let mut all = Loaded::default();
        while let Some(one) = clients.join_next().await {
            all.add(&one??);
        }
        all.took = begun.elapsed();
        making_room.await?;
        Ok(all)
    }
}

impl Shared {
    fn is_over(&self) -> bool {
        Instant::now() >= self.end || self.accepted.load(Relaxed) >= self.plan.most
    }

    /// Room for one request; none when it is over.
    async fn take_room(&self) -> Option<()> {
        let deliveries = u32::try_from(self.plan.request.events * self.plan.deliveries).ok()?;
        self.room.acquire_many(deliveries).await.ok()?.forget();
        Some(())
    }

    /// What was refused does not arrive.
    fn give_room_back(&self, events: u64) {
        self.room.add_permits(usize::try_from(events * self.plan.deliveries).unwrap_or(0));
    }
}

impl Loaded {
    fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.latencies.add(&other.latencies);
    }
}

/// Makes room for what has arrived, until it is over.
async fn make_room(shared: Arc<Shared>, arrived: Arc<AtomicU64>) {
    let (mut looks, mut seen) = (interval(LOOK_EVERY), arrived.load(Relaxed));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shared.is_over() {
        looks.tick().await;
        let now = arrived.load(Relaxed);
        shared.room.add_permits(usize::try_from(now - seen).unwrap_or(0));
        seen = now;
    }
    shared.room.close();
}

async fn client(shared: Arc<Shared>) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut connection = Connection::open(&shared.plan.address).await?;
    while !shared.is_over() && shared.take_room().await.is_some() {
        let asked = Instant::now();
        let answer = connection.post(&shared.plan.request).await;
        let accepted = match &answer {
            Ok((202, body)) => {
                loaded.latencies.record(asked.elapsed());
                accepted_of(&shared.plan.request, body)
            }
            _ => 0,
        };
        loaded.accepted += accepted;
        shared.accepted.fetch_add(accepted, Relaxed);
        let refused = shared.plan.request.events - accepted;
        loaded.refused += refused;
        shared.give_room_back(refused);
        if accepted == 0 {
            tokio::time::sleep(AFTER_REFUSAL).await;
        }
        if answer.is_err() {
            connection = Connection::open(&shared.plan.address).await?;
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
