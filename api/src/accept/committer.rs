//! The group committer: takes what waits, writes it in one transaction, answers each caller after the commit.
//! Batching is natural: while one transaction runs, the next batch gathers. No timer. What is too much for one transaction
//! is written in turn with what comes later, so that one tenant's large batch does not hold up the accepts of others.

use domain::clock::Millis;
use platform::{context::Context, database::Pool, telemetry::names};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    AcceptError, Event, Ingested, Outcome, Published, Work,
    chunks::{Deferred, TRANSACTION_BYTES, chunks},
    handover::{Handover, OpenQueues},
    recipients::{self, Recipients, Remembered},
    rows::{self, Rows},
    transaction::{self, WriteError},
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
        let mut deferred = Deferred::default();
        loop {
            let batch =
                if deferred.is_empty() { next(&mut entries, &stop).await } else { at_once(&mut entries) };
            if batch.is_empty() && deferred.is_empty() {
                return;
            }
            let later = deferred.next();
            deferred.add(self.commit(batch, self.handover.open()).await);
            if let Some(batch) = later {
                deferred.add(self.commit(batch, self.handover.open_at_once()).await);
            }
        }
    }

    /// Commits a batch for the recipients that are remembered, and for those that have changed, once more. Returns what is
    /// more than one transaction takes.
    async fn commit(&self, batch: Vec<Entry>, open: OpenQueues) -> Vec<Vec<Entry>> {
        if batch.is_empty() {
            return vec![];
        }
        let (changed, mut rest) = match self.remembered(&batch) {
            Some(recipients) => self.commit_for(batch, &recipients, open).await,
            None => (batch, vec![]),
        };
        if !changed.is_empty() {
            match self.find_recipients(&changed).await {
                Ok(recipients) => rest.extend(self.commit_for(changed, &recipients, open).await.1),
                Err(error) => refuse(changed, error),
            }
        }
        rest
    }

    /// Commits as much as one transaction takes. One bad row never fails a stranger's: what is refused is split, and its halves
    /// retried. Returns the entries whose recipients have changed meanwhile, and the chunks that are left.
    async fn commit_for(
        &self,
        batch: Vec<Entry>,
        recipients: &Recipients,
        open: OpenQueues,
    ) -> (Vec<Entry>, Vec<Vec<Entry>>) {
        let mut changed = vec![];
        let weight = |entry: &Entry| rows::weight(&entry.work, recipients);
        let mut rest = chunks(batch, TRANSACTION_BYTES, weight, |entry| entry.work.user_id());
        let mut stack: Vec<Vec<Entry>> = rest.drain(..rest.len().min(1)).collect();
        while let Some(mut batch) = stack.pop() {
            let works = batch.iter().map(|entry| &entry.work);
            let mut rows = Rows::of(works, recipients, open, &self.context);
            match transaction::write(&self.context, &mut rows, recipients.confirmation()).await {
                Ok(accepted_at) => self.accepted(batch, rows, accepted_at).await,
                Err(WriteError::Changed) => changed.append(&mut batch),
                Err(WriteError::Refused) if batch.len() > 1 => {
                    let rest = batch.split_off(batch.len() / 2);
                    stack.extend([rest, batch]);
                }
                Err(error) => refuse(batch, error.into()),
            }
        }
        (changed, rest)
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
            transaction::log_and_count(&error);
            AcceptError::Unavailable
        })?;
        if let Some(remembered) = &self.remembered {
            remembered.keep(&events, &found);
        }
        Ok(found)
    }

    async fn accepted(&self, batch: Vec<Entry>, rows: Rows, accepted_at: Millis) {
        for (entry, outcome) in batch.into_iter().zip(rows.outcomes()) {
            match outcome {
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
            let _ = entry.reply.send(outcome.ok_or(AcceptError::Unavailable));
        }
        if rows.has_unleased() {
            self.context.queue.wake();
        }
        self.handover.take(rows.jobs(accepted_at)).await;
    }
}

/// Waits for what comes next; nothing when every sender is gone, or at a stop.
async fn next(entries: &mut mpsc::Receiver<Entry>, stop: &CancellationToken) -> Vec<Entry> {
    let mut batch = Vec::with_capacity(BATCH);
    tokio::select! {
        biased;
        _ = entries.recv_many(&mut batch, BATCH) => {}
        () = stop.cancelled() => {
            entries.close();
            entries.recv_many(&mut batch, BATCH).await;
        }
    }
    batch
}

/// What waits at this moment.
fn at_once(entries: &mut mpsc::Receiver<Entry>) -> Vec<Entry> {
    std::iter::from_fn(|| entries.try_recv().ok()).take(BATCH).collect()
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
