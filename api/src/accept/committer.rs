//! The group committer: takes what waits, writes it in one transaction, answers each caller after the commit.
//! Batching is natural: while one transaction runs, the next batch gathers. No timer.

use domain::clock::Millis;
use platform::{context::Context, database::Pool, telemetry::names};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    AcceptError, Event, Ingested, Outcome, Published, Work,
    handover::Handover,
    portions::{TRANSACTION_BYTES, portions},
    recipients::{self, Recipients, Remembered},
    rows::{self, Rows},
    write::{self, WriteError},
};

/// Most entries that one transaction writes: what two clients publish a thousand at a time. It holds up claims and records on
/// one machine, so not more.
const BATCH: usize = 2_048;

/// One accepted thing and who waits for it.
pub(super) struct Entry {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Result<Outcome, AcceptError>>,
}

/// Writes batches, one at a time.
pub(super) struct Committer {
    context: Context,
    handover: Handover,
    /// None on SQLite, whose readers are asked in no time.
    remembered: Option<Remembered>,
}

impl Committer {
    pub(super) fn new(context: Context, handover: Handover) -> Self {
        let is_postgres = matches!(context.database.grouped(), Pool::Postgres(_));
        Self { context, handover, remembered: is_postgres.then(Remembered::new) }
    }

    /// Runs until every sender is gone, or `stop` and nothing waits.
    pub(super) async fn run(self, mut entries: mpsc::Receiver<Entry>, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                taken = entries.recv_many(&mut batch, BATCH) => if taken == 0 { return },
                () = stop.cancelled() => {
                    entries.close();
                    if entries.recv_many(&mut batch, BATCH).await == 0 { return }
                }
            }
            self.commit(std::mem::take(&mut batch)).await;
        }
    }

    /// Commits a batch for the recipients that are remembered, and for those that have changed, once more.
    async fn commit(&self, batch: Vec<Entry>) {
        let changed = match self.remembered(&batch) {
            Some(recipients) => self.commit_for(batch, &recipients).await,
            None => batch,
        };
        if changed.is_empty() {
            return;
        }
        match self.find_recipients(&changed).await {
            Ok(recipients) => drop(self.commit_for(changed, &recipients).await),
            Err(error) => refuse(changed, error),
        }
    }

    /// Commits in transactions of bounded size. One bad row never fails a stranger's: what is refused is split, and its halves
    /// retried. Returns the entries whose recipients have changed meanwhile.
    async fn commit_for(&self, batch: Vec<Entry>, recipients: &Recipients) -> Vec<Entry> {
        let mut changed = vec![];
        let mut stack = portions(batch, TRANSACTION_BYTES, |entry| rows::weight(&entry.work, recipients));
        stack.reverse();
        while let Some(mut batch) = stack.pop() {
            let works = batch.iter().map(|entry| &entry.work);
            let mut rows = Rows::of(works, recipients, &self.handover, &self.context);
            match write::write(&self.context, &mut rows, recipients.confirmation()).await {
                Ok(accepted_at) => self.accepted(batch, rows, accepted_at).await,
                Err(WriteError::Changed) => changed.append(&mut batch),
                Err(WriteError::Refused) if batch.len() > 1 => {
                    let rest = batch.split_off(batch.len() / 2);
                    stack.extend([rest, batch]);
                }
                Err(error) => refuse(batch, error.into()),
            }
        }
        changed
    }

    /// The recipients that are remembered, when there is nothing but events without a key in the batch.
    fn remembered(&self, batch: &[Entry]) -> Option<Recipients> {
        let plain = |entry: &Entry| matches!(&entry.work, Work::Event(event) if event.key.is_none());
        let remembered = self.remembered.as_ref().filter(|_| batch.iter().all(plain))?;
        remembered.of(&events_of(batch))
    }

    async fn find_recipients(&self, batch: &[Entry]) -> Result<Recipients, AcceptError> {
        let events = events_of(batch);
        let found = recipients::of(&self.context, &events).await.map_err(|error| {
            write::log_and_count(&error);
            AcceptError::Unavailable
        })?;
        if let Some(remembered) = &self.remembered {
            remembered.keep(&events, &found);
        }
        Ok(found)
    }

    async fn accepted(&self, batch: Vec<Entry>, rows: Rows, accepted_at: Millis) {
        for (entry, verdict) in batch.into_iter().zip(rows.verdicts()) {
            match verdict {
                Some(Outcome::Upload) => count("upload"),
                Some(Outcome::Event(Published::Stored { .. })) => count("event"),
                Some(Outcome::Message(Ingested::Created)) => count("message"),
                Some(Outcome::Notification(ref announced)) if !announced.audience.is_empty() => {
                    count("notification");
                }
                Some(Outcome::Personal) => count("notification"),
                _ => {}
            }
            // A caller that went away does not undo its accept.
            let _ = entry.reply.send(verdict.ok_or(AcceptError::Unavailable));
        }
        if rows.has_unleased() {
            self.context.queue.wake();
        }
        self.handover.take(rows.jobs(accepted_at)).await;
    }
}

fn events_of(batch: &[Entry]) -> Vec<&Event> {
    batch.iter().filter_map(|entry| entry.work.event()).collect()
}

fn count(kind: &'static str) {
    metrics::counter!(names::ACCEPTED, "kind" => kind).increment(1);
}

fn refuse(batch: Vec<Entry>, error: AcceptError) {
    for entry in batch {
        let _ = entry.reply.send(Err(error));
    }
}
