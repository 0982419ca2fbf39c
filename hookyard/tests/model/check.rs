//! What must hold at any moment, and what must hold in the end.

use std::time::Duration;

use entity::{delivery, finished_delivery};
use sea_orm::EntityTrait;

use crate::world::{Mood, World};

/// A day and an hour: longer than any wait of the schedule, with its jitter.
const LONGEST_WAIT: Duration = Duration::from_secs(25 * 3_600);
/// A second of a drain's rate.
const A_SECOND: Duration = Duration::from_secs(1);
/// Enough for every attempt of the schedule, and for a drain of a thousand.
const ROUNDS: usize = 500;

impl World {
    /// Every accepted delivery is in exactly one table, and finished deliveries stay unchanged.
    pub async fn check(&mut self) {
        let db = self.app.context.database.reader();
        let open = delivery::Entity::find().all(db).await.expect("deliveries");
        let finished = finished_delivery::Entity::find().all(db).await.expect("finished deliveries");
        let mut found: Vec<_> =
            open.iter().map(|row| row.id).chain(finished.iter().map(|row| row.id)).collect();
        found.sort_unstable();
        assert!(
            found.iter().eq(self.accepted.iter()),
            "each delivery once: {} of {}",
            found.len(),
            self.accepted.len()
        );
        for row in open {
            assert!(!self.finished.contains_key(&row.id), "{} is under way again", row.id);
            assert!(row.recorded_claim <= row.claim, "{} was recorded for a claim to come", row.id);
            assert!(i32::from(row.position) <= row.claim, "{} moved on without a claim", row.id);
        }
        for row in finished {
            let ended = (row.state.clone(), row.reason.clone());
            let before = self.finished.entry(row.id).or_insert_with(|| ended.clone());
            assert_eq!(*before, ended, "{} changed after it had ended", row.id);
            assert_eq!(row.state == "dead", row.reason.is_some(), "{}", row.id);
            assert_eq!(row.state == "cancelled", self.cancelled.contains(&row.id), "{}", row.id);
            // In the end the real sender works: what it has sent is known by the receiver.
            let sent = self.succeeded.contains(&row.id) || self.receiver.count() > 0;
            assert!(row.state != "succeeded" || sent, "{} succeeded, but no worker had sent it", row.id);
        }
        let findings = worker::doctor::examine(&self.app.context, false).await.expect("examined");
        // Workers scan only when the dice say so: what waits is no fault here.
        let faults: Vec<_> =
            findings.iter().filter(|found| !found.check.name.starts_with("neglected")).collect();
        assert!(faults.is_empty(), "{faults:?}");
    }

    /// Every receiver recovers, every worker dies, and time passes: all remaining deliveries are finished.
    pub async fn settle(&mut self) {
        self.claimed.clear();
        for which in 0..self.endpoints.len() {
            self.endpoints[which].mood = Mood::Well;
            self.set_paused(which, false).await;
        }
        for _ in 0..ROUNDS {
            // What waited for a resumed endpoint goes out at a bounded rate.
            let more = self.app.drain_once().await;
            if !more && self.app.counts().await.0 == 0 {
                return;
            }
            self.app.clock.forward(if more { A_SECOND } else { LONGEST_WAIT });
        }
        panic!("{} deliveries are stuck", self.app.counts().await.0);
    }

    /// Nothing is under way, everything has ended in one way, and what is dead says why.
    pub async fn check_settled(&mut self) {
        self.check().await;
        assert_eq!(self.app.counts().await, (0, self.accepted.len() as u64));
        for (id, (state, reason)) in &self.finished {
            match state.as_str() {
                "succeeded" | "cancelled" => {}
                "dead" => {
                    let reason = reason.as_deref();
                    let known = ["schedule_spent", "worker_lost", "endpoint_down", "held_limit"];
                    assert!(reason.is_some_and(|reason| known.contains(&reason)), "{id}: {reason:?}");
                }
                other => panic!("{id}: {other}"),
            }
        }
    }
}
