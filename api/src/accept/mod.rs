//! Accept: work is written, with the deliveries it causes, before its caller gets a 2xx.
//! One task per process groups what waits into one transaction; nothing here waits for the queue or for a receiver.

mod chunks;
mod committer;
mod handover;
mod jobs;
mod keys;
mod messages;
mod notifications;
mod publication;
mod recipients;
mod rows;
mod single_recipient;
mod transaction;

use domain::id::{EndpointId, EventId, UploadId, UserId};
use platform::{context::Context, supervisor::Service};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use committer::{Committer, Entry};
use messages::Incoming;
use notifications::Outgoing;
use publication::Event;
use single_recipient::Personal;

pub use messages::{Ingested, NewMessage};
pub use notifications::{Announced, Audience, NewNotification};
pub use publication::{Key, Publication, Published};
pub use single_recipient::NewPersonal;

/// Requests that may wait for the committer; beyond it callers wait to get in.
const WAITING: usize = 4_096;

/// A file that lies durable in the storage.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Its id.
    pub id: UploadId,
    /// The endpoint it belongs to.
    pub endpoint_id: EndpointId,
    /// The endpoint's tenant.
    pub user_id: UserId,
    /// The safe file name.
    pub file_name: String,
    /// Where it lies.
    pub storage_key: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The request that brought it.
    pub request_id: Option<String>,
}

/// An event, for every endpoint that is registered for its type.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// Whose endpoints get it; none for an event that belongs to no user and goes to every registered endpoint.
    pub user_id: Option<UserId>,
    /// The name of its type.
    pub event_type: String,
    /// Its data; the bytes are kept as they are.
    pub data: Box<RawValue>,
    /// The request that brought it.
    pub request_id: Option<String>,
}

/// How many deliveries were stored with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// One for each recipient.
    pub deliveries: usize,
}

/// It was not accepted, or the outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// The database is away or the process is stopping. Nothing was written.
    #[error("the database is not available")]
    Unavailable,
    /// The connection broke during the commit: it may have been written.
    #[error("the outcome of the commit is unknown")]
    Unknown,
    /// The database will not store this row. Nothing was written.
    #[error("the database refused the row")]
    Refused,
}

/// Writes what was accepted. Clones share one committer.
#[derive(Clone)]
pub struct Accept {
    waiting: mpsc::Sender<Entry>,
}

/// What is written by one entry.
#[derive(Clone, Debug)]
enum Work {
    Upload(NewUpload),
    Event(Event),
    Message(Incoming),
    Notification(Outgoing),
    Personal(Personal),
}

impl Work {
    /// The event that it makes, if it is one that endpoints get.
    const fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) | Self::Message(Incoming { event, .. }) => Some(event),
            Self::Upload(_) | Self::Notification(_) | Self::Personal(_) => None,
        }
    }

    /// Its tenant; none where no user owns it.
    fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Upload(upload) => Some(upload.user_id),
            Self::Event(event) | Self::Message(Incoming { event, .. }) => event.user_id,
            Self::Notification(_) | Self::Personal(_) => None,
        }
    }
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// The upload is durable.
    Upload,
    /// What became of the event.
    Event(Published),
    /// What became of the message.
    Message(Ingested),
    /// What became of the notification.
    Notification(Announced),
    /// The notification to one browser is durable.
    Personal,
}

impl Accept {
    /// An accepter and the services that do its work. They end when every clone is gone and all is written.
    #[must_use]
    pub fn new(context: &Context) -> (Self, Vec<Service>) {
        let (waiting, entries) = mpsc::channel(WAITING);
        let (handover, pusher) = handover::new(context);
        let committer = Committer::new(context.clone(), handover);
        let services = vec![
            Service::new("accept", |stop| async move {
                committer.run(entries, stop).await;
                Ok(())
            }),
            Service::new("handover", |stop| async move {
                pusher.run(stop).await;
                Ok(())
            }),
        ];
        (Self { waiting }, services)
    }

    /// Stores an upload. On `Ok` it is durable.
    ///
    /// # Errors
    /// See [`AcceptError`]; only [`AcceptError::Unknown`] may have left a row.
    pub async fn upload(&self, upload: NewUpload) -> Result<(), AcceptError> {
        self.submit(Work::Upload(upload)).await.map(drop)
    }

    /// Stores an event and a delivery for each endpoint that is registered for its type. On `Ok` all are durable.
    ///
    /// # Errors
    /// See [`AcceptError`]; only [`AcceptError::Unknown`] may have left rows.
    pub async fn event(&self, event: NewEvent) -> Result<Accepted, AcceptError> {
        match self.submit(Work::Event(event.into())).await? {
            Outcome::Event(Published::Stored { deliveries, .. }) => Ok(Accepted { deliveries }),
            // It has no key, names no endpoints, and its type need not exist.
            _ => Err(AcceptError::Refused),
        }
    }

    /// Stores what a user publishes, once for each key within 24 h by the database's clock, however many ask at the same
    /// moment and wherever. On [`Published::Stored`] event and deliveries are durable; [`Published`] says what else there is.
    ///
    /// # Errors
    /// See [`AcceptError`]; only [`AcceptError::Unknown`] may have left rows. Asking again with the same key is safe.
    pub async fn publish(&self, publication: Publication) -> Result<Published, AcceptError> {
        match self.submit(Work::Event(publication.into())).await? {
            Outcome::Event(published) => Ok(published),
            // An event's outcome is an event's.
            _ => Err(AcceptError::Refused),
        }
    }

    /// Stores a message once for its id, with its event and a delivery for each endpoint that is registered for
    /// `message.received`, however many copies come at the same moment and wherever. On `Ok` all of it is durable: this
    /// copy, or the first one.
    ///
    /// # Errors
    /// See [`AcceptError`]; only [`AcceptError::Unknown`] may have left rows. Asking again is safe.
    pub async fn message(&self, message: NewMessage) -> Result<Ingested, AcceptError> {
        match self.submit(Work::Message(message.into())).await? {
            Outcome::Message(ingested) => Ok(ingested),
            // A message's outcome is a message's.
            _ => Err(AcceptError::Refused),
        }
    }

    /// Stores a notification with a broadcast for each of its channels, which workers make into deliveries. On `Ok` all of it
    /// is durable; a notice goes out once on a channel, however many ask at the same moment and wherever.
    ///
    /// # Errors
    /// See [`AcceptError`]; only [`AcceptError::Unknown`] may have left rows.
    pub async fn notify(&self, notification: NewNotification) -> Result<Announced, AcceptError> {
        match self.submit(Work::Notification(notification.into())).await? {
            Outcome::Notification(announced) => Ok(announced),
            // A notification's outcome is a notification's.
            _ => Err(AcceptError::Refused),
        }
    }

    /// Stores a notification to one browser, with its delivery. On `Ok` both are durable.
    ///
    /// # Errors
    /// See [`AcceptError`]; only [`AcceptError::Unknown`] may have left rows.
    pub async fn tell(&self, personal: NewPersonal) -> Result<(), AcceptError> {
        self.submit(Work::Personal(personal.into())).await.map(drop)
    }

    async fn submit(&self, work: Work) -> Result<Outcome, AcceptError> {
        let (reply, answer) = oneshot::channel();
        self.waiting.send(Entry { work, reply }).await.map_err(|_| AcceptError::Unavailable)?;
        // A committer that vanished with the entry in hand may have written it.
        answer.await.unwrap_or(Err(AcceptError::Unknown))
    }
}
