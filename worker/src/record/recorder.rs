//! The recorder: takes the sends that have ended, of whatever job, and records them together.
//! While one transaction runs, the next batch gathers; at little load a batch is given a moment to gather, since no caller
//! waits for it.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::delivery::NextStep;
use entity::delivery::record::SendResultRow;
use platform::{
    context::Context,
    database::{DatabaseError, WritePermit},
    telemetry::names,
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::write::{self, Moved};
use crate::claim::Recheck;

/// Most deliveries that one transaction records.
const BATCH: usize = 512;
/// How long the first of a batch waits for others. A worker that dies sends again what it had not recorded, so not longer.
const GATHER: Duration = Duration::from_millis(25);
/// Longest wait between two tries to reach the database: when it is back, results are recorded before a claim, every second,
/// takes their deliveries for lost.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// Where ended sends are handed in. Clones share one recorder.
#[derive(Clone)]
pub struct Recorder {
    results: mpsc::Sender<SendResultRow>,
}

/// The recorder's work.
pub struct Records {
    results: mpsc::Receiver<SendResultRow>,
    context: Context,
    recheck: Recheck,
}

impl Recorder {
    /// A recorder, and its work. At most as many wait as there are send slots: then sends wait.
    #[must_use]
    pub fn new(context: &Context) -> (Self, Records) {
        let (sender, results) = mpsc::channel(context.config.send_slots);
        (Self { results: sender }, Records { results, context: context.clone(), recheck: Recheck::default() })
    }

    /// Hands in an ended send. It is recorded unless the process dies first; then its lease ends and it is sent again.
    pub async fn record(&self, result: SendResultRow) {
        let _ = self.results.send(result).await;
    }
}

impl Records {
    /// Notifies `recheck` of each batch that is recorded: its lanes may have room for more.
    #[must_use]
    pub fn notifying(self, recheck: Recheck) -> Self {
        Self { recheck, ..self }
    }

    /// Runs until `stop`, and then until all that was handed in is written.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                taken = self.results.recv_many(&mut batch, BATCH) => if taken == 0 { return },
                () = stop.cancelled(), if !self.results.is_closed() => self.results.close(),
            }
            self.gather(&mut batch).await;
            let permit = self.context.database.write_permit().await.ok().filter(|_| !batch.is_empty());
            // What has ended while it waited for its turn goes with the others.
            while batch.len() < BATCH
                && let Ok(result) = self.results.try_recv()
            {
                batch.push(result);
            }
            self.record(std::mem::take(&mut batch), permit).await;
        }
    }

    /// Waits for more until the batch is full, its time is over, or a lane needs the record to go on.
    async fn gather(&mut self, batch: &mut Vec<SendResultRow>) {
        let end = Instant::now() + GATHER;
        while batch.len() < BATCH && !self.is_awaited(batch) {
            let more = self.results.recv_many(batch, BATCH - batch.len());
            if !matches!(timeout_at(end, more).await, Ok(1..)) {
                return;
            }
        }
    }

    fn is_awaited(&self, batch: &[SendResultRow]) -> bool {
        batch.is_empty() || self.recheck.expects(batch.iter().map(|result| result.delivery.lane_id))
    }

    /// Records a batch; one that is refused is split, so that one bad row never fails a stranger's.
    async fn record(&self, batch: Vec<SendResultRow>, mut permit: Option<WritePermit>) {
        let mut stack = vec![batch];
        stack.retain(|batch| !batch.is_empty());
        while let Some(mut batch) = stack.pop() {
            match self.write_patiently(&batch, permit.take()).await {
                Ok(moved) => self.recorded(&batch, moved),
                Err(_) if batch.len() > 1 => {
                    let rest = batch.split_off(batch.len() / 2);
                    stack.extend([rest, batch]);
                }
                Err(error) => self.record_alone(batch, &error).await,
            }
        }
    }

    fn recorded(&self, batch: &[SendResultRow], moved: Moved) {
        count_records(&self.context, batch, moved);
        self.recheck.settled(batch.iter().map(|result| result.delivery.lane_id));
    }

    /// A single row that is refused is recorded without the receiver's words.
    async fn record_alone(&self, batch: Vec<SendResultRow>, refusal: &DatabaseError) {
        let bare: Vec<SendResultRow> = batch.into_iter().map(SendResultRow::without_answer).collect();
        match self.write_patiently(&bare, None).await {
            Ok(moved) => self.recorded(&bare, moved),
            Err(error) => error!(%error, %refusal, "an attempt can't be recorded; it will be sent again"),
        }
    }

    /// Tries until the database answers, the first time with the permit that is given. An error is its refusal.
    async fn write_patiently(
        &self,
        batch: &[SendResultRow],
        mut permit: Option<WritePermit>,
    ) -> Result<Moved, DatabaseError> {
        let waits =
            ExponentialBuilder::default().with_max_delay(LONGEST_WAIT).with_jitter().without_max_times();
        let mut waits = waits.with_min_delay(Duration::from_millis(50)).build();
        loop {
            let error = match write::write(&self.context, batch, permit.take()).await {
                Ok(moved) => return Ok(moved),
                Err(error) => error,
            };
            metrics::counter!(names::DATABASE_ERRORS).increment(1);
            if error.is_refusal() {
                return Err(error);
            }
            warn!(%error, deliveries = batch.len(), "records wait for the database");
            let wait = waits.next().unwrap_or(LONGEST_WAIT);
            tokio::time::sleep(wait).await;
        }
    }
}

fn count_records(context: &Context, batch: &[SendResultRow], moved: Moved) {
    let fenced = (batch.len() as u64).saturating_sub(moved.finished + moved.retried);
    metrics::counter!(names::DUPLICATE_RECORDS).increment(fenced);
    let now = context.clock.now();
    for result in batch {
        let channel = result.delivery.channel.clone();
        if let Some((state, _)) = result.finished() {
            metrics::counter!(names::DELIVERIES_FINISHED, "state" => state.as_str(), "channel" => channel)
                .increment(1);
        }
        if result.next == NextStep::Succeed {
            let latency = now.since(result.delivery.awaited_since());
            metrics::histogram!(names::DELIVERY_LATENCY_SECONDS).record(latency);
        }
    }
}
