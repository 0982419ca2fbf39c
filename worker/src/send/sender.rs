//! The sender: starts sends on a tracker of ours, each holding its slot until it has ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use channels::SendReport;
use domain::{
    clock::Millis,
    delivery::DeadReason,
    id::{AttemptId, DeliveryId},
};
use platform::{context::Context, telemetry::names};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::{
    SenderError,
    channels::{Channels, Terms},
    ended::{self, Started},
    schedules::Schedules,
};
use crate::{
    claim::{Claimed, Recipient, release},
    record::{Ended, Recorder},
    rounded_ms,
};

/// Sends claimed deliveries. Clones share one client and one tracker.
#[derive(Clone)]
pub struct Sender {
    shared: Arc<Shared>,
    recorder: Recorder,
    under_way: TaskTracker,
    leases: Leases,
}

/// The claims whose sends are under way, by delivery.
type Leases = Arc<Mutex<HashMap<DeliveryId, i32>>>;

struct Shared {
    context: Context,
    channels: Channels,
    schedules: Schedules,
}

impl Sender {
    /// A sender that hands ended sends to `recorder`.
    ///
    /// # Errors
    /// When the HTTP client can't be built, or a channel can't be used as it is set.
    pub fn new(context: &Context, recorder: Recorder) -> Result<Self, SenderError> {
        let channels = Channels::new(&context.config, context.keys.clone())?;
        let schedules = Schedules::new(context.config.retry_schedule.clone());
        let shared = Arc::new(Shared { context: context.clone(), channels, schedules });
        Ok(Self { shared, recorder, under_way: TaskTracker::new(), leases: Leases::default() })
    }

    /// Starts a send. Its slot is dropped when it has ended and was handed to the recorder.
    pub fn start(&self, delivery: Claimed, slot: impl Send + 'static) {
        let sender = self.clone();
        let (id, claim) = (delivery.id(), delivery.claim);
        self.leases().insert(id, claim);
        // Its claim has just been told: the time since then goes by this machine's steady clock.
        let claimed = Instant::now();
        self.under_way.spawn(async move {
            let ended = sender.shared.send(delivery, claimed).await;
            sender.recorder.record(ended).await;
            sender.forget(id, claim);
            drop(slot);
        });
    }

    /// Sends under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.under_way.len()
    }

    /// Waits until every send has ended and was handed to the recorder, and gives back the leases of those that take
    /// longer than `patience`: another worker will send these again.
    pub async fn drain(&self, patience: Duration) {
        self.under_way.close();
        if tokio::time::timeout(patience, self.under_way.wait()).await.is_ok() {
            return;
        }
        let left: Vec<(DeliveryId, i32)> = self.leases().drain().collect();
        warn!(deliveries = left.len(), "sends still under way: their leases are given back");
        if let Err(error) = release(&self.shared.context, &left).await {
            warn!(%error, "leases were not given back; they end by themselves");
        }
    }

    /// Its lease is over, unless this worker has claimed it again meanwhile.
    fn forget(&self, id: DeliveryId, claim: i32) {
        let mut leases = self.leases();
        if leases.get(&id) == Some(&claim) {
            leases.remove(&id);
        }
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<DeliveryId, i32>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    async fn send(&self, delivery: Claimed, claimed: Instant) -> Ended {
        if delivery.is_deadly() {
            return ended::unsent(delivery, DeadReason::WorkerLost);
        }
        if !delivery.has_body {
            return ended::unsent(delivery, DeadReason::Unreadable);
        }
        if delivery.recipient == Recipient::Gone {
            return ended::unsent(delivery, DeadReason::Unsubscribed);
        }
        let in_database = Millis(delivery.claimed_at) + claimed.elapsed();
        let (id, started) = (AttemptId::new(), Started { here: self.context.clock.now(), in_database });
        let schedule = self.schedules.of(delivery.retry_schedule.as_deref());
        let report = self.attempt(&delivery).await;
        tell(&delivery, &report);
        let jitter = rand::random_range(-1.0..=1.0);
        ended::sent(delivery, id, started, report, &schedule, jitter)
    }

    async fn attempt(&self, delivery: &Claimed) -> SendReport {
        let terms = Terms { deadline: self.deadline(delivery), sent_at: self.context.clock.now() };
        self.channels.attempt(delivery, terms).await
    }

    fn deadline(&self, delivery: &Claimed) -> Duration {
        let own = delivery.timeout_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        own.unwrap_or(self.context.config.delivery_timeout)
    }
}

/// One wide event an attempt: no secret, no body.
fn tell(delivery: &Claimed, report: &SendReport) {
    let result = if report.error_class.is_none() { "success" } else { "failure" };
    let channel = delivery.channel.clone();
    metrics::counter!(names::ATTEMPTS, "channel" => channel.clone(), "result" => result).increment(1);
    metrics::histogram!(names::ATTEMPT_DURATION_SECONDS, "channel" => channel).record(report.timing.total);
    info!(
        delivery_id = %delivery.id(),
        event_id = %delivery.event_id(),
        lane_id = %delivery.lane_id(),
        channel = %delivery.channel,
        attempt = delivery.attempt_number(),
        claim = delivery.claim,
        status_code = report.status_code,
        error_class = report.error_class.map(|class| class.as_str()),
        duration_ms = %rounded_ms(report.timing.total),
        "attempt {result}",
    );
}
