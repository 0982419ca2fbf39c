//! The steps: what clients, workers, receivers and time may do.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    clock::Millis,
    delivery::{DeadReason, LaneSend, NextStep, RetrySchedule, SendResult, Verdict, next_step},
    id::AttemptId,
    job::{LEASE, QueueName, Work},
};
use entity::{
    delivery::record::{AttemptRow, RecipientUpdate, SendResultRow},
    lease,
};
use futures_util::StreamExt;
use rand::{RngExt, seq::IndexedRandom};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::{claim::Claimed, endpoints::EndpointCache, handover::unpack, record::Recorder};

use crate::world::{Mood, World};

/// Hands that are full at most.
const MAX_WORKERS: usize = 6;

impl World {
    /// Does one thing, by the dice.
    pub async fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..9 => self.publish().await,
            9..22 => self.take_job().await,
            22..25 => self.lose_jobs(),
            25..50 => self.claim().await,
            50..73 => self.work().await,
            73..77 => self.send_for_real().await,
            77..80 => self.kill(),
            80..82 => self.give_back().await,
            82..85 => self.renew().await,
            85..91 => self.pass_time(),
            91..93 => self.change_mood(),
            93..95 => self.pause_or_resume().await,
            95..96 => self.rotate().await,
            96..98 => self.retry_or_cancel().await,
            _ => self.look_after_lanes().await,
        }
    }

    /// Some are handed over, others are left to claims.
    async fn publish(&mut self) {
        let hands_over = self.rng.random_bool(0.7);
        if hands_over {
            self.app.context.queue.resume();
        }
        let mut leased = BTreeSet::new();
        for _ in 0..self.rng.random_range(1..=3) {
            let (event, accepted) =
                self.app.publish(json!({"n": self.tally.accepted})).await.expect("accepted");
            let deliveries = self.app.deliveries_of(event).await;
            assert_eq!(deliveries.len(), accepted.deliveries);
            self.tally.accepted += deliveries.len();
            leased.extend(deliveries.iter().filter(|one| one.claim > 0).map(|one| one.id.0));
            self.accepted.extend(deliveries.iter().map(|delivery| delivery.id.0));
        }
        assert!(hands_over || leased.is_empty(), "the queue is paused");
        self.receive_jobs(leased).await;
        self.app.context.queue.pause();
    }

    /// Takes the jobs that carry these deliveries out of the queue.
    async fn receive_jobs(&mut self, mut leased: BTreeSet<Uuid>) {
        let mut jobs = self.app.context.queue.jobs(QueueName::Deliveries, 1, CancellationToken::new());
        while !leased.is_empty() {
            let job = jobs.next().await.expect("what is leased is pushed");
            let Work::Deliveries(handover) = &job.work else { panic!("{job:?}") };
            for delivery in &handover.deliveries {
                assert!(leased.remove(&delivery.id), "{} is in two jobs", delivery.id);
                self.leases.insert(delivery.id, (delivery.claim, job.lease_until));
            }
            self.jobs.push(job);
        }
    }

    /// Some worker takes a job, which sometimes comes again.
    async fn take_job(&mut self) {
        if self.claimed.len() >= MAX_WORKERS || self.jobs.is_empty() {
            return;
        }
        let which = self.rng.random_range(0..self.jobs.len());
        let job =
            if self.rng.random_bool(0.8) { self.jobs.swap_remove(which) } else { self.jobs[which].clone() };
        let (at, now) = (
            tokio::time::Instant::now(),
            self.app.context.database.now(&self.app.clock).await.expect("a time"),
        );
        let Work::Deliveries(handover) = job.work.clone() else { panic!("{job:?}") };
        if !job.may_start(now) {
            return;
        }
        let endpoints = EndpointCache::new(&self.app.context);
        let taken = unpack(&self.app.context, &endpoints, &job, handover, (now, at)).await.expect("unpacked");
        self.tally.handed_over += taken.len();
        self.claimed.push(taken);
    }

    fn lose_jobs(&mut self) {
        let kept = self.rng.random_range(0..=self.jobs.len());
        self.jobs.truncate(kept);
    }

    /// Some worker claims what is due.
    async fn claim(&mut self) {
        if self.claimed.len() >= MAX_WORKERS {
            return;
        }
        let claimed = self.claim_due(40).await;
        self.claimed.push(claimed);
    }

    /// Nothing is claimed that is another's, or has ended.
    pub async fn claim_due(&mut self, most: usize) -> Vec<Claimed> {
        let (before, rows) = (self.app.clock.now(), self.rng.random_range(1..=most));
        let claimed = self.app.claim_due(rows).await;
        for delivery in &claimed {
            let id = delivery.id().0;
            if let Some((claim, until)) = self.leases.get(&id) {
                assert!(self.app.clock.now() >= *until, "{id} was claimed while claim {claim} held it");
            }
            assert!(!self.finished.contains_key(&id), "{id} was claimed after it had ended");
            self.leases.insert(id, (delivery.claim, before + LEASE));
        }
        self.tally.claimed += claimed.len();
        claimed
    }

    /// One worker sends some of its claimed deliveries and records them; sometimes it records twice.
    async fn work(&mut self) {
        let Some(mut taken) = self.take_claimed() else { return };
        let rest = taken.split_off(self.rng.random_range(0..=taken.len()));
        if !rest.is_empty() {
            self.claimed.push(rest);
        }
        let ended: Vec<SendResultRow> = taken.into_iter().map(|delivery| self.send(delivery)).collect();
        if ended.is_empty() {
            return;
        }
        for _ in 0..self.rng.random_range(1..=2) {
            self.record(ended.clone()).await;
        }
        self.tally.recorded += ended.len();
        for ended in &ended {
            let id = ended.delivery.id().0;
            if self.leases.get(&id).is_some_and(|(claim, _)| *claim == ended.delivery.claim) {
                self.leases.remove(&id);
            } else {
                self.tally.late += 1;
            }
        }
    }

    fn send(&mut self, delivery: Claimed) -> SendResultRow {
        let endpoint = self.endpoint_of(&delivery);
        let retry_after = Some(Duration::from_secs(20));
        let result = match endpoint.mood {
            Mood::Well => SendResult::Accepted,
            Mood::Failing => SendResult::Failed,
            Mood::Overloaded => SendResult::Overloaded { retry_after },
        };
        let started_at = Millis(delivery.claimed_at);
        let lane = Verdict::from_result(result, None).map(|verdict| LaneSend { started_at, verdict });
        let jitter = self.rng.random_range(-1.0..=1.0);
        let schedule = RetrySchedule::default();
        let next = match delivery.is_deadly() {
            true => NextStep::DeadLetter(DeadReason::WorkerLost),
            false => next_step(result, delivery.position(), &schedule, jitter),
        };
        if next == NextStep::Succeed {
            self.succeeded.insert(delivery.id().0);
        }
        let recipient = RecipientUpdate::default();
        let attempt = Some(attempt(&delivery));
        SendResultRow { attempt, delivery: delivery.row, next, spends_position: true, lane, recipient }
    }

    async fn record(&self, ended: Vec<SendResultRow>) {
        let (recorder, records) = Recorder::new(&self.app.context);
        let records = tokio::spawn(records.run(CancellationToken::new()));
        for ended in ended {
            recorder.record(ended).await;
        }
        drop(recorder);
        records.await.expect("the recorder ends");
    }

    /// A worker dies with its claimed deliveries.
    fn kill(&mut self) {
        if let Some(taken) = self.take_claimed() {
            self.tally.killed += taken.len();
        }
    }

    /// A worker stops in order and releases its leases.
    async fn give_back(&mut self) {
        let Some(taken) = self.take_claimed() else { return };
        let claims = leases(&taken);
        let database = &self.app.context.database;
        lease::release(database, lease::Table::Deliveries, &claims).await.expect("released");
        for (id, claim) in claims {
            if self.leases.get(&id).is_some_and(|(latest, _)| *latest == claim) {
                self.leases.remove(&id);
            }
        }
    }

    /// A worker renews the leases of its claimed deliveries, and only those.
    async fn renew(&mut self) {
        let Some(taken) = self.take_claimed() else { return };
        let (before, claims) = (self.app.clock.now(), leases(&taken));
        let database = &self.app.context.database;
        let renewed = lease::renew(database, &self.app.clock, &claims).await.expect("renewed");
        for (id, claim) in claims.iter().filter(|(id, _)| renewed.contains(id)) {
            let (latest, until) = self.leases.entry(*id).or_insert((*claim, before));
            assert!(*latest <= *claim, "{id} was renewed for claim {claim}, but {latest} has it");
            *until = before + LEASE;
        }
        self.claimed.push(taken);
    }

    fn pass_time(&mut self) {
        let longest = [50, 5_000, 20_000, 60_000, 600_000, 40_000_000];
        let longest = *longest.choose(&mut self.rng).expect("not empty");
        self.app.clock.forward(Duration::from_millis(self.rng.random_range(0..=longest)));
    }

    fn change_mood(&mut self) {
        let mood = *[Mood::Well, Mood::Well, Mood::Failing, Mood::Overloaded]
            .choose(&mut self.rng)
            .expect("not empty");
        let which = self.rng.random_range(0..self.endpoints.len());
        self.endpoints[which].mood = mood;
    }

    fn take_claimed(&mut self) -> Option<Vec<Claimed>> {
        if self.claimed.is_empty() {
            return None;
        }
        let which = self.rng.random_range(0..self.claimed.len());
        Some(self.claimed.swap_remove(which))
    }
}

fn leases(claimed: &[Claimed]) -> Vec<lease::Lease> {
    claimed.iter().map(|delivery| (delivery.id().0, delivery.claim)).collect()
}

/// What is recorded of a send of the model's.
fn attempt(delivery: &Claimed) -> AttemptRow {
    AttemptRow {
        id: AttemptId::new(),
        number: delivery.attempt_number(),
        started_at: Millis(delivery.claimed_at),
        duration: Duration::from_millis(1),
        resolve: None,
        connect: None,
        first_byte: None,
        status_code: None,
        error_class: None,
        error: None,
        request_headers: "{}".to_owned(),
        response_headers: None,
        response_body: vec![],
    }
}
