//! Broadcasts: a message becomes a delivery for each recipient of its channel, page by page. One worker at a time has the
//! lease; a page's deliveries and the cursor move in one transaction with the broadcast's row locked, so a page is made once
//! or not at all. A broadcast whose page fails waits for its lease to end, while others go on.

mod page;

use domain::{
    delivery::Channel,
    job::{Job, Leased, QueueName},
};
use entity::{broadcast, lease};
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
    telemetry::names,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use page::{Made, Terms};

use crate::due::DueSignal;

/// Recipients that one transaction makes deliveries for.
pub const PAGE: usize = 1_000;

/// Fans broadcasts out.
#[derive(Clone)]
pub struct Broadcaster {
    context: Context,
    halt: CancellationToken,
}

impl Broadcaster {
    /// A broadcaster that begins no further page once `halt` is cancelled.
    #[must_use]
    pub fn new(context: &Context, halt: CancellationToken) -> Self {
        Self { context: context.clone(), halt }
    }

    /// Makes the pages of a broadcast that was handed over. A job that waited too long is dropped.
    pub async fn handle_job(&self, job: &Job, leased: Leased) {
        if job.may_start(self.context.database.estimated_now(&self.context.clock)) {
            self.pages(leased).await;
        }
    }

    /// Makes the pages of broadcasts that have no live lease, until there is none; whether there was one.
    pub async fn work_due(&self) -> bool {
        let mut worked = false;
        while !self.halt.is_cancelled() {
            match claim(&self.context).await {
                Ok(Some(leased)) => self.pages(leased).await,
                Ok(None) => break,
                Err(error) => {
                    failed(&error);
                    break;
                }
            }
            worked = true;
        }
        worked
    }

    async fn pages(&self, leased: Leased) {
        while !self.halt.is_cancelled() {
            match page_of(&self.context, leased).await {
                Ok(Some(made)) if made.is_last => return,
                Ok(Some(_)) => {}
                // Its channel is not set here: others need not wait for the lease to end.
                Ok(None) => break,
                Err(error) => return failed(&error),
            }
        }
        release(&self.context, leased).await;
    }
}

/// Works broadcasts whenever a scan finds one without a live lease, until `stop`. A worker that does not take from the queue
/// of broadcasts leaves them to others.
pub async fn broadcasts(context: Context, due: DueSignal, stop: CancellationToken) {
    if !context.config.worker_queues.contains(&QueueName::Broadcasts) {
        return stop.cancelled().await;
    }
    let broadcaster = Broadcaster::new(&context, stop.clone());
    while !stop.is_cancelled() {
        broadcaster.work_due().await;
        due.wait(&stop).await;
    }
}

/// Claims a running broadcast without a live lease, the one that waited longest. Those of a channel that is not set in this
/// process are passed over.
///
/// # Errors
/// Those of the database.
pub async fn claim(context: &Context) -> Result<Option<Leased>, DatabaseError> {
    let terms = Terms::of(context);
    broadcast::page::claim(&context.database, &terms.channels, terms.stamp).await
}

/// Makes the next page of a leased broadcast and renews the lease. None when the lease is another worker's by now, or the
/// channel is not set in this process.
///
/// # Errors
/// Those of the database; then the page was not made, unless the commit's outcome is unknown: the row tells.
async fn page_of(context: &Context, leased: Leased) -> Result<Option<Made>, DatabaseError> {
    let terms = Terms::of(context);
    let made = within_deadline(page::make(context, leased, &terms)).await?;
    if let Some(made) = &made {
        report(context, made);
    }
    Ok(made)
}

/// Makes the next page of a broadcast without a live lease and releases it; whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn step(context: &Context) -> Result<bool, DatabaseError> {
    let Some(leased) = claim(context).await? else { return Ok(false) };
    let made = page_of(context, leased).await;
    release(context, leased).await;
    made.map(|_| true)
}

async fn release(context: &Context, leased: Leased) {
    let lease = [(leased.id, leased.claim)];
    let released = lease::release(&context.database, lease::Table::Broadcasts, &lease);
    if let Err(error) = within_deadline(released).await {
        warn!(%error, "a broadcast's lease could not be released; it ends at its time");
    }
}

fn failed(error: &DatabaseError) {
    metrics::counter!(names::DATABASE_ERRORS).increment(1);
    warn!(%error, "a page of a broadcast was not made; it is tried again when its lease ends");
}

fn report(context: &Context, made: &Made) {
    if made.count > 0 {
        context.queue.wake();
    }
    if made.is_last {
        let channel: &str = &made.channel;
        info!(broadcast_id = %made.id, channel, queued = made.queued, "broadcast: every recipient has its delivery");
    }
}

/// The channels that are set in this process.
fn channels(context: &Context) -> Vec<Channel> {
    let config = &context.config;
    let set = [(Channel::WebPush, config.vapid.is_some()), (Channel::Telegram, config.telegram.is_some())];
    set.into_iter().filter(|(_, is_set)| *is_set).map(|(channel, _)| channel).collect()
}
