//! The jobs of the queue: work that was leased at accept, with the data that a worker needs to start it.
//! The rows are the work: a job may be lost, late or repeated. Stored jobs are public: members are added, never renamed.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{clock::Millis, string_enum::string_enum};

/// How long a worker owns work that was handed over or claimed, unless it renews the lease.
pub const LEASE: Duration = Duration::from_secs(15);
/// A job with less than this left of its lease is dropped; its row is claimed when the lease ends.
pub const LEAST_LEASE_LEFT: Duration = Duration::from_secs(5);
/// Most deliveries that one job carries.
pub const MAX_DELIVERIES_PER_JOB: usize = 32;
/// Longest body in bytes that a job carries; longer ones are loaded by event id.
pub const MAX_BODY_IN_JOB: usize = 8 * 1024;
/// Most deliveries (uploads, broadcasts) in one queue, all processes together.
pub const WINDOW: usize = 4_096;
/// How long a reported backlog of a lane stands: accepts don't hand over deliveries of that lane meanwhile.
pub const BACKLOG_LASTS: Duration = Duration::from_secs(3);

string_enum! {
    /// The queues, by their names in `WORKER_QUEUES`.
    QueueName {
        /// Deliveries to send.
        Deliveries = "deliveries",
        /// Uploads to process.
        Uploads = "uploads",
        /// Broadcasts to fan out.
        Broadcasts = "broadcasts",
    }
}

/// One job of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// When its work was accepted, by the database's clock.
    pub accepted_at: Millis,
    /// When the lease on its rows ends, by the database's clock.
    pub lease_until: Millis,
    /// The work to do.
    pub work: Work,
    /// The request that caused the work, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The kinds of work. Each belongs to one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Deliveries to send.
    Deliveries(Handover),
    /// An upload to process.
    Upload(Leased),
    /// A broadcast to fan out.
    Broadcast(Leased),
}

/// A row that was inserted with a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leased {
    /// The row's id.
    pub id: Uuid,
    /// The claim that the lease belongs to: the fence.
    pub claim: i32,
}

/// At most [`MAX_DELIVERIES_PER_JOB`] deliveries with their events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// The events, each once.
    pub events: Vec<HandedEvent>,
    /// The deliveries.
    pub deliveries: Vec<HandedDelivery>,
}

/// An event of a handover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedEvent {
    /// Its id.
    pub id: Uuid,
    /// The body to sign and send, unless it is longer than [`MAX_BODY_IN_JOB`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A delivery of a handover: to a webhook, whose endpoint is its lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedDelivery {
    /// Its id.
    pub id: Uuid,
    /// The index of its event in the handover.
    pub event: u8,
    /// Its tenant; none when no user owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// Its endpoint.
    pub endpoint_id: Uuid,
    /// The claim that the lease belongs to: the fence.
    pub claim: i32,
    /// Whether its body differs from its event's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_own_body: bool,
    /// Its own body, if it differs from the event's and fits [`MAX_BODY_IN_JOB`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Default for Work {
    /// No work.
    fn default() -> Self {
        Self::Deliveries(Handover::default())
    }
}

impl Job {
    /// Returns the queue of its work.
    #[must_use]
    pub const fn queue(&self) -> QueueName {
        match self.work {
            Work::Deliveries(_) => QueueName::Deliveries,
            Work::Upload(_) => QueueName::Uploads,
            Work::Broadcast(_) => QueueName::Broadcasts,
        }
    }

    /// Returns what it counts towards the [`WINDOW`].
    #[must_use]
    pub const fn weight(&self) -> usize {
        match &self.work {
            Work::Deliveries(handover) => handover.deliveries.len(),
            Work::Upload(_) | Work::Broadcast(_) => 1,
        }
    }

    /// Whether enough of its lease is left at `now` (database time) to start its work.
    #[must_use]
    pub fn may_start(&self, now: Millis) -> bool {
        self.lease_until.since(now) >= LEAST_LEASE_LEFT
    }
}

impl Handover {
    /// Adds a delivery of an event. `body` is the event's; none when it is too long for a job.
    ///
    /// # Panics
    /// When it is full: check [`Handover::is_full`] first.
    pub fn push(&mut self, event_id: Uuid, body: Option<&str>, delivery: HandedDelivery) {
        assert!(!self.is_full(), "the caller starts another job when this one is full");
        if self.events.last().is_none_or(|event| event.id != event_id) {
            self.events.push(HandedEvent { id: event_id, body: body.map(str::to_owned) });
        }
        let event = u8::try_from(self.events.len() - 1).expect("no more events than deliveries");
        self.deliveries.push(HandedDelivery { event, ..delivery });
    }

    /// Whether it carries as many deliveries as a job may.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.deliveries.len() >= MAX_DELIVERIES_PER_JOB
    }

    /// Returns the event of a delivery; none when the job is damaged.
    #[must_use]
    pub fn event_of(&self, delivery: &HandedDelivery) -> Option<&HandedEvent> {
        self.events.get(usize::from(delivery.event))
    }
}

/// Returns a body that fits a job; none when it is too long or not UTF-8.
#[must_use]
pub fn body_for_job(body: &[u8]) -> Option<&str> {
    if body.len() > MAX_BODY_IN_JOB { None } else { std::str::from_utf8(body).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(n: u128) -> HandedDelivery {
        let (id, endpoint_id) = (Uuid::from_u128(n), Uuid::from_u128(7));
        HandedDelivery {
            id,
            event: 0,
            user_id: Some(1),
            endpoint_id,
            claim: 1,
            has_own_body: false,
            body: None,
        }
    }

    fn job(work: Work) -> Job {
        Job { accepted_at: Millis(1_000), lease_until: Millis(16_000), work, request_id: Some("r".into()) }
    }

    #[test]
    fn a_handover_carries_each_event_once_and_says_when_it_is_full() {
        let mut handover = Handover::default();
        for n in 0..MAX_DELIVERIES_PER_JOB as u128 {
            assert!(!handover.is_full());
            handover.push(Uuid::from_u128(n / 2), Some("{}"), delivery(n));
        }
        assert!(handover.is_full());
        assert_eq!(handover.events.len(), MAX_DELIVERIES_PER_JOB / 2);
        for (n, delivery) in handover.deliveries.iter().enumerate() {
            let event = handover.event_of(delivery).map(|event| event.id);
            assert_eq!(event, Some(Uuid::from_u128(n as u128 / 2)));
        }
        assert_eq!(job(Work::Deliveries(handover)).weight(), MAX_DELIVERIES_PER_JOB);
    }

    #[test]
    fn a_job_starts_while_a_third_of_its_lease_is_left() {
        let job = job(Work::Upload(Leased { id: Uuid::nil(), claim: 1 }));
        assert!(job.may_start(Millis(1_000)) && job.may_start(Millis(11_000)));
        assert!(!job.may_start(Millis(11_001)) && !job.may_start(Millis(20_000)));
    }

    #[test]
    fn a_body_goes_into_a_job_up_to_the_bound() {
        let longest = vec![b'x'; MAX_BODY_IN_JOB];
        assert_eq!(body_for_job(&longest).map(str::len), Some(MAX_BODY_IN_JOB));
        assert_eq!(body_for_job(&[longest, vec![b'x']].concat()), None);
        assert_eq!(body_for_job(b"\xff"), None);
    }
}
