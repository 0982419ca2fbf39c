//! What people do manually, by HTTP: pause and resume, rotate secrets, retry and cancel; and what maintenance does.

use std::time::Duration;

use domain::delivery::HeldLimits;
use rand::{RngExt, seq::IteratorRandom};
use serde_json::{Value, json};
use worker::maintenance::lanes::{bury_beyond_limits, bury_endpoint_down, cancel_deleted, notify_owners};

use crate::world::{Mood, World};

/// So few may be held in the model that it comes to that.
const HELD: HeldLimits = HeldLimits { max_deliveries: 400, max_age: Duration::from_secs(30 * 24 * 3600) };

impl World {
    pub async fn pause_or_resume(&mut self) {
        let which = self.rng.random_range(0..self.endpoints.len());
        let paused = !self.endpoints[which].paused;
        self.set_paused(which, paused).await;
    }

    pub async fn set_paused(&mut self, which: usize, paused: bool) {
        self.endpoints[which].paused = paused;
        let verb = if paused { "pause" } else { "resume" };
        let path = format!("/v1/endpoints/{}/{verb}", self.endpoints[which].id);
        let (status, response) = self.post(&path, None).await;
        assert_eq!(
            (status, &response["state"]),
            (200, &json!(if paused { "paused" } else { "active" })),
            "{response}"
        );
    }

    /// A new secret; the old one goes on signing for up to ten minutes.
    pub async fn rotate(&mut self) {
        let which = self.rng.random_range(0..self.endpoints.len());
        let grace = self.rng.random_range(0..600);
        let path = format!("/v1/endpoints/{}/secret/rotate", self.endpoints[which].id);
        let (status, response) = self.post(&path, Some(json!({"grace_seconds": grace}))).await;
        // Ten old keys may be valid at a time.
        if status != 422 {
            assert_eq!(status, 200, "{response}");
            let secret = response["secret"].as_str().and_then(|secret| secret.parse().ok());
            self.endpoints[which].secret = secret.expect("a secret");
        }
    }

    /// Any delivery there ever was: what may not be done is refused with 409 and changes nothing.
    pub async fn retry_or_cancel(&mut self) {
        let Some(id) = self.accepted.iter().choose(&mut self.rng).copied() else { return };
        let retries = self.rng.random_bool(0.5);
        let verb = if retries { "retry" } else { "cancel" };
        let (status, response) = self.post(&format!("/v1/deliveries/{id}/{verb}"), None).await;
        if status == 409 {
            return;
        }
        assert!((200..300).contains(&status), "{status} {response}");
        // It was not being sent, or it would have been refused.
        self.leases.remove(&id);
        self.finished.remove(&id);
        if retries {
            self.cancelled.remove(&id);
        } else {
            self.cancelled.insert(id);
        }
    }

    pub async fn look_after_lanes(&mut self) {
        let context = &self.app.context;
        notify_owners(context).await.expect("a look");
        cancel_deleted(context).await.expect("a look");
        bury_endpoint_down(context).await.expect("a look");
        bury_beyond_limits(context, HELD).await.expect("a look");
    }

    /// The real sender, over HTTP, to endpoints that are well; each call is signed with the secret of the moment.
    pub async fn send_for_real(&mut self) {
        if self.endpoints.iter().any(|endpoint| endpoint.mood != Mood::Well) {
            return;
        }
        let claimed = self.claim_due(10).await;
        let seen = self.receiver.count();
        for delivery in &claimed {
            self.leases.remove(&delivery.id().0);
        }
        self.app.send_claimed(claimed).await;
        for call in &self.receiver.calls()[seen..] {
            let number: usize = call.path.trim_start_matches('/').parse().expect("a number");
            let verified = call.verify(&self.endpoints[number].secret, self.app.clock.now());
            verified.unwrap_or_else(|error| panic!("{}: {error}", call.path));
        }
    }

    async fn post(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.app.http.post(format!("{}{path}", self.app.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }
}
