//! The sender: starts sends on a tracker of ours, each holding its slot and its lease until it has ended.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use channels::SendReport;
use domain::{
    clock::Millis,
    delivery::{Channel, DeadReason, RetrySchedule},
    id::AttemptId,
};
use entity::delivery::record::SendResultRow;
use platform::{context::Context, telemetry::names};
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use super::{
    SenderError,
    channels::{Channels, Terms},
    to_record::{self, Started},
};
use crate::{
    claim::{Claimed, Recipient},
    leases::Leases,
    record::Recorder,
    rounded_ms,
};

/// Least that must be left of a lease when a send starts: it is renewed every two seconds from then on.
const LEAST_LEFT: Duration = Duration::from_secs(3);

/// Sends leased deliveries. Clones share one client and one tracker.
#[derive(Clone)]
pub struct Sender {
    shared: Arc<Shared>,
    recorder: Recorder,
    under_way: TaskTracker,
    leases: Leases,
}

struct Shared {
    context: Context,
    channels: Channels,
    schedule: Arc<RetrySchedule>,
}

impl Sender {
    /// A sender that hands ended sends to `recorder`.
    ///
    /// # Errors
    /// When the HTTP client can't be built, or a channel can't be used as it is set.
    pub fn new(context: &Context, recorder: Recorder) -> Result<Self, SenderError> {
        let channels = Channels::new(&context.config)?;
        let schedule = Arc::new(context.config.retry_schedule.clone());
        let shared = Arc::new(Shared { context: context.clone(), channels, schedule });
        Ok(Self { shared, recorder, under_way: TaskTracker::new(), leases: Leases::default() })
    }

    /// Starts a send, unless its lease is about to end: then another worker claims it. Its slot is dropped when it has ended
    /// and was handed to the recorder.
    pub fn start(&self, delivery: Claimed, slot: impl Send + 'static) {
        let left = delivery.lease_left();
        if left < LEAST_LEFT {
            debug!(delivery_id = %delivery.id(), "not sent: its lease is about to end");
            return;
        }
        let sender = self.clone();
        let lease = self.leases.keep((delivery.id().0, delivery.claim), left);
        // Its claim has just been returned: the time since then goes by this machine's steady clock.
        let claimed = Instant::now();
        self.under_way.spawn(async move {
            let result = sender.shared.send(delivery, claimed).await;
            sender.recorder.record(result).await;
            drop((lease, slot));
        });
    }

    /// Sends in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.under_way.len()
    }

    /// The leases of the sends in flight.
    #[must_use]
    pub const fn leases(&self) -> &Leases {
        &self.leases
    }

    /// Waits until every send has ended and was handed to the recorder, and releases the leases of those that take longer
    /// than `patience`: another worker will send these again.
    pub async fn drain(&self, patience: Duration) {
        self.under_way.close();
        if tokio::time::timeout(patience, self.under_way.wait()).await.is_ok() {
            return;
        }
        match self.leases.release_all(&self.shared.context).await {
            Ok(deliveries) => warn!(deliveries, "released the leases of sends that are still in flight"),
            Err(error) => warn!(%error, "leases could not be released; they end at their time"),
        }
    }
}

impl Shared {
    async fn send(&self, delivery: Claimed, claimed: Instant) -> SendResultRow {
        if delivery.is_deadly() {
            return to_record::unsent(delivery, DeadReason::WorkerLost);
        }
        if !delivery.has_body {
            return to_record::unsent(delivery, DeadReason::Unreadable);
        }
        // A webhook whose endpoint is gone is recorded as an attempt that says so.
        if matches!(delivery.recipient, Recipient::Gone) && delivery.channel != Channel::Webhook.as_str() {
            return to_record::unsent(delivery, DeadReason::Unsubscribed);
        }
        let in_database = Millis(delivery.claimed_at) + claimed.elapsed();
        let (id, started) = (AttemptId::new(), Started { here: self.context.clock.now(), in_database });
        let schedule = self.schedule_of(&delivery);
        let report = self.attempt(&delivery).await;
        log_attempt(&delivery, &report);
        let jitter = rand::random_range(-1.0..=1.0);
        to_record::sent(delivery, id, started, report, &schedule, jitter)
    }

    async fn attempt(&self, delivery: &Claimed) -> SendReport {
        let terms = Terms { deadline: self.deadline(delivery), sent_at: self.context.clock.now() };
        self.channels.attempt(delivery, terms).await
    }

    fn deadline(&self, delivery: &Claimed) -> Duration {
        let own = delivery.recipient.endpoint().and_then(|endpoint| endpoint.timeout);
        own.unwrap_or(self.context.config.delivery_timeout)
    }

    /// The endpoint's own schedule, or the setting's.
    fn schedule_of(&self, delivery: &Claimed) -> Arc<RetrySchedule> {
        let own = delivery.recipient.endpoint().and_then(|endpoint| endpoint.schedule.clone());
        own.unwrap_or_else(|| Arc::clone(&self.schedule))
    }
}

/// One wide event an attempt: no secret, no body.
fn log_attempt(delivery: &Claimed, report: &SendReport) {
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
