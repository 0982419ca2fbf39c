//! Broadcasts: a message becomes a delivery for each recipient of its channel, page by page. Safe in many workers: a page's
//! deliveries and the cursor move in one transaction with the broadcast's row locked, so a page is made once or not at all.

mod page;
mod postgres;
mod sqlite;

use std::time::Duration;

use domain::{delivery::Channel, job::QueueName};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
    telemetry::names,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use page::{Made, Terms};

/// Recipients that one transaction makes deliveries for.
pub const PAGE: usize = 1_000;
/// How often it looks for broadcasts whose hint got lost, or whose worker died.
const EVERY: Duration = Duration::from_secs(1);

/// Works the hints of broadcasts.
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

    /// Makes the pages of these broadcasts, as far as no other worker does. What is left is found again within a second.
    pub async fn work(&self, ids: Vec<Uuid>) {
        self.pages(Some(&ids)).await;
    }

    async fn pages(&self, ids: Option<&[Uuid]>) {
        while !self.halt.is_cancelled() {
            match step(&self.context, ids).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    metrics::counter!(names::DATABASE_ERRORS).increment(1);
                    warn!(%error, "a page of a broadcast was not made; it is tried again");
                    return;
                }
            }
        }
    }
}

/// Looks for broadcasts that nobody works, until `stop`. A worker that does not take from the queue of broadcasts leaves
/// them to others.
pub async fn broadcasts(context: Context, stop: CancellationToken) {
    if !context.config.worker_queues.contains(&QueueName::Broadcasts) {
        return stop.cancelled().await;
    }
    let broadcaster = Broadcaster::new(&context, stop.clone());
    while !stop.is_cancelled() {
        broadcaster.pages(None).await;
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

/// Makes the next page of a running broadcast, of any or of these; whether there was one. Broadcasts of a channel that is
/// not set in this process, and those that another worker has in hand, are passed over.
///
/// # Errors
/// Those of the database; then the page was not made, unless the commit's outcome is unknown: the row tells.
pub async fn step(context: &Context, ids: Option<&[Uuid]>) -> Result<bool, DatabaseError> {
    let terms = Terms::of(context);
    let made = match context.database.pool() {
        Pool::Postgres(pool) => within_deadline(postgres::step(pool, ids, &terms)).await?,
        Pool::Sqlite(pool) => {
            let reader = context.database.reader().get_sqlite_connection_pool();
            sqlite::step(pool, reader, ids, &terms).await?
        }
    };
    if let Some(made) = &made {
        told(context, made);
    }
    Ok(made.is_some())
}

fn told(context: &Context, made: &Made) {
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
