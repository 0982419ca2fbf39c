//! The steps: what clients, workers, receivers and time may do.

use std::time::Duration;

use domain::{
    clock::Millis,
    delivery::{DeadReason, LaneSend, NextStep, RetrySchedule, SendResult, Verdict, next_step},
    id::AttemptId,
};
use rand::{RngExt, seq::IndexedRandom};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::{
    claim::{Claimed, claim, release},
    dispatch,
    record::{AttemptRow, Ended, RecipientNews, Recorder},
};

use crate::world::{Mood, World};

/// What a lease lasts: the deadline of 15 s and 30 s. Less what a step takes.
const LEASE: Duration = Duration::from_secs(45);
/// Hands that are full at most.
const HANDS: usize = 6;

impl World {
    /// Does one thing, by the dice.
    pub async fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..7 => self.publish().await,
            7..26 => self.look().await,
            26..30 => self.lose_hints(),
            30..56 => self.claim().await,
            56..76 => self.work().await,
            76..80 => self.send_for_real().await,
            80..83 => self.kill(),
            83..85 => self.give_back().await,
            85..91 => self.pass_time(),
            91..93 => self.change_mood(),
            93..95 => self.pause_or_resume().await,
            95..96 => self.rotate().await,
            96..98 => self.retry_or_cancel().await,
            _ => self.look_after_lanes().await,
        }
    }

    async fn publish(&mut self) {
        for _ in 0..self.rng.random_range(1..=3) {
            let (event, accepted) =
                self.app.publish(json!({"n": self.tally.accepted})).await.expect("accepted");
            let deliveries = self.app.deliveries_of(event).await;
            assert_eq!(deliveries.len(), accepted.deliveries);
            self.tally.accepted += deliveries.len();
            // The accept's own hints.
            self.hints.extend(deliveries.iter().map(|delivery| delivery.id.0));
            self.accepted.extend(deliveries.iter().map(|delivery| delivery.id.0));
        }
    }

    async fn look(&mut self) {
        let room = self.rng.random_range(1..=200);
        let look = dispatch::deliveries(&self.app.context, Uuid::nil(), room).await.expect("a look");
        self.hints.extend(look.found.iter().map(|found| found.id));
    }

    fn lose_hints(&mut self) {
        let kept = self.rng.random_range(0..=self.hints.len());
        self.hints.truncate(kept);
    }

    /// Some worker claims by some hints, of which some stay in the queue and will come again.
    async fn claim(&mut self) {
        if self.hands.len() >= HANDS || self.hints.is_empty() {
            return;
        }
        let taken = self.rng.random_range(1..=self.hints.len().min(40));
        let mut ids: Vec<Uuid> = self.hints.sample(&mut self.rng, taken).copied().collect();
        if self.rng.random_bool(0.8) {
            self.hints.retain(|id| !ids.contains(id));
        }
        if let Some(old) = self.finished.keys().next() {
            ids.push(*old);
        }
        let before = self.app.clock.now();
        let claimed = claim(&self.app.context, &ids).await.expect("a claim");
        for delivery in &claimed {
            let id = delivery.id().0;
            if let Some((claim, until)) = self.leases.get(&id) {
                assert!(before >= *until, "{id} was claimed while claim {claim} held it");
            }
            assert!(!self.finished.contains_key(&id), "{id} was claimed after it had ended");
            self.leases.insert(id, (delivery.claim, before + LEASE));
        }
        self.tally.claimed += claimed.len();
        self.hands.push(claimed);
    }

    /// One worker sends some of what it has in hand and records it; sometimes it is not sure whether it has, and records again.
    async fn work(&mut self) {
        let Some(mut hand) = self.take_hand() else { return };
        let rest = hand.split_off(self.rng.random_range(0..=hand.len()));
        if !rest.is_empty() {
            self.hands.push(rest);
        }
        let ended: Vec<Ended> = hand.into_iter().map(|delivery| self.send(delivery)).collect();
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

    fn send(&mut self, delivery: Claimed) -> Ended {
        let endpoint = self.endpoint_of(&delivery);
        let retry_after = Some(Duration::from_secs(20));
        let result = match endpoint.mood {
            Mood::Well => SendResult::Accepted,
            Mood::Failing => SendResult::Failed,
            Mood::Overloaded => SendResult::Overloaded { retry_after },
        };
        let started_at = Millis(delivery.claimed_at);
        let lane = Verdict::of(result, None).map(|verdict| LaneSend { started_at, verdict });
        let jitter = self.rng.random_range(-1.0..=1.0);
        let schedule = RetrySchedule::default();
        let next = match delivery.is_deadly() {
            true => NextStep::Bury(DeadReason::WorkerLost),
            false => next_step(result, delivery.position(), &schedule, jitter),
        };
        if next == NextStep::Succeed {
            self.succeeded.insert(delivery.id().0);
        }
        let recipient = RecipientNews::default();
        Ended { attempt: Some(attempt(&delivery)), delivery, next, lane, recipient }
    }

    async fn record(&self, ended: Vec<Ended>) {
        let (recorder, records) = Recorder::new(&self.app.context);
        let records = tokio::spawn(records.run(CancellationToken::new()));
        for ended in ended {
            recorder.record(ended).await;
        }
        drop(recorder);
        records.await.expect("the recorder ends");
    }

    /// A worker dies with what it has in hand.
    fn kill(&mut self) {
        if let Some(hand) = self.take_hand() {
            self.tally.killed += hand.len();
        }
    }

    /// A worker stops in order and gives its leases back.
    async fn give_back(&mut self) {
        let Some(hand) = self.take_hand() else { return };
        let claims: Vec<_> = hand.iter().map(|delivery| (delivery.id(), delivery.claim)).collect();
        release(&self.app.context, &claims).await.expect("given back");
        for (id, claim) in claims {
            if self.leases.get(&id.0).is_some_and(|(latest, _)| *latest == claim) {
                self.leases.remove(&id.0);
            }
        }
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

    fn take_hand(&mut self) -> Option<Vec<Claimed>> {
        if self.hands.is_empty() {
            return None;
        }
        let which = self.rng.random_range(0..self.hands.len());
        Some(self.hands.swap_remove(which))
    }
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
