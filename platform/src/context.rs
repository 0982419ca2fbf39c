//! The resources that all services of a process share: settings, database, queue, storage, keys, clock, telemetry.
//! Each `main` creates one; nothing here does work of its own.

use std::sync::Arc;

use crate::{
    clock::Clock,
    config::Config,
    database::{Database, DatabaseError},
    keys::Keys,
    queue::{Queue, QueueError},
    storage::{Storage, StorageError},
    telemetry::Telemetry,
};

/// The shared resources of one process. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The settings.
    pub config: Arc<Config>,
    /// The database.
    pub database: Database,
    /// The queue.
    pub queue: Queue,
    /// The files.
    pub storage: Storage,
    /// The keys derived from `SECRET_KEY`.
    pub keys: Keys,
    /// The clock.
    pub clock: Clock,
    /// The metrics.
    pub telemetry: Telemetry,
}

/// A resource of the process is not available.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The queue's address.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The files.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Context {
    /// Connects to the resources that `config` names. Redis may be down: the queue recovers when it answers.
    ///
    /// # Errors
    /// When the database or the storage can't be used, or an address can't be read.
    pub async fn connect(config: Config, telemetry: Telemetry) -> Result<Self, ContextError> {
        let queue = match &config.redis_url {
            Some(url) => Queue::redis(url).await?,
            None => Queue::memory(),
        };
        Ok(Self {
            database: Database::connect(&config.database_url).await?,
            storage: Storage::local(&config.storage_dir)?,
            keys: Keys::new(&config.secret_key),
            config: Arc::new(config),
            queue,
            clock: Clock::default(),
            telemetry,
        })
    }
}
