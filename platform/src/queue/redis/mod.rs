//! The queue in Redis: a list of jobs and a counter for each queue, read with blocking pops. A popped job is gone from Redis:
//! the lease on its rows covers a crash, so jobs are neither acknowledged nor swept nor returned.

mod connection;
mod health;
mod keys;
mod source;
mod wakeup;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use domain::job::{Job, QueueName, WINDOW};
use futures_util::{StreamExt, stream, stream::BoxStream};
use redis::{Client, Script};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use self::{connection::SharedConnection, keys::Keys, source::Source, wakeup::Signals};
use super::{Pushed, QueueError, Signal};

pub use self::connection::{CALL_TIMEOUT, CONNECT_TIMEOUT};

/// Most jobs of one push: Lua unpacks them into one call.
const JOBS_A_PUSH: usize = 1_024;

/// Jobs in Redis (7.0 or newer), shared by every process with the same address and namespace.
#[derive(Clone)]
pub(super) struct RedisQueue {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<SharedConnection>,
    keys: HashMap<QueueName, Keys>,
    push: Script,
    signals: Signals,
    listening: OnceLock<()>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl RedisQueue {
    pub(super) async fn open(url: &str, namespace: &str) -> Result<Self, QueueError> {
        let client = Client::open(url).map_err(QueueError::Address)?;
        let stop = CancellationToken::new();
        let keys = QueueName::ALL.iter().map(|name| (*name, Keys::new(namespace, *name))).collect();
        let inner = Inner {
            shared: Arc::new(SharedConnection::new(client)),
            keys,
            push: Script::new(include_str!("push.lua")),
            signals: Signals::new(namespace, Uuid::now_v7().simple().to_string()),
            listening: OnceLock::new(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        };
        let queue = Self { inner: Arc::new(inner) };
        queue.spawn(wakeup::publish(Arc::clone(&queue.inner.shared), queue.inner.signals.clone()));
        // Logs whether Redis answers and how it is configured; an unavailable Redis is no error.
        let _ = queue.depth(QueueName::Deliveries).await;
        Ok(queue)
    }

    /// Pushes in chunks of [`JOBS_A_PUSH`] until one does not fit whole. When a later chunk is known to have failed, the chunks
    /// before it count as pushed.
    pub(super) async fn push(&self, queue: QueueName, jobs: &[Job]) -> Result<Pushed, QueueError> {
        let mut all = Pushed::default();
        for some in jobs.chunks(JOBS_A_PUSH) {
            let pushed = match self.push_some(queue, some).await {
                Ok(pushed) => pushed,
                Err(error) if all.jobs > 0 && error.is_outcome_known() => break,
                Err(error) => return Err(error),
            };
            all = Pushed { jobs: all.jobs + pushed.jobs, waiting: pushed.waiting };
            if pushed.jobs < some.len() {
                break;
            }
        }
        Ok(all)
    }

    async fn push_some(&self, queue: QueueName, jobs: &[Job]) -> Result<Pushed, QueueError> {
        let keys = self.keys(queue);
        let mut script = self.inner.push.key(&keys.jobs);
        script.key(&keys.waiting).arg(WINDOW);
        for job in jobs {
            script.arg(job.weight()).arg(serde_json::to_vec(job).expect("strings and numbers are JSON"));
        }
        let pushed = self.inner.shared.invoke(&script).await;
        self.inner.shared.remove_foreign_keys(queue, keys, pushed.as_ref().err()).await;
        let (jobs, waiting) = pushed?;
        Ok(Pushed { jobs, waiting })
    }

    pub(super) async fn depth(&self, queue: QueueName) -> Result<usize, QueueError> {
        let keys = self.keys(queue);
        let mut counts = redis::pipe();
        counts.cmd("LLEN").arg(&keys.jobs).cmd("GET").arg(&keys.waiting);
        let counted = self.inner.shared.call(async |connection| counts.query_async(connection).await).await;
        self.inner.shared.remove_foreign_keys(queue, keys, counted.as_ref().err()).await;
        let (jobs, waiting): (usize, Option<Vec<u8>>) = counted?;
        // A counter that is lost or not a number counts each job once, as a push does.
        let waiting =
            waiting.and_then(|waiting| std::str::from_utf8(&waiting).ok()?.parse().ok()).unwrap_or(0);
        Ok(if jobs == 0 { 0 } else { jobs.max(waiting) })
    }

    pub(super) fn jobs(
        &self,
        queue: QueueName,
        at_once: usize,
        stop: CancellationToken,
    ) -> BoxStream<'static, Job> {
        let source =
            Source::new(Arc::clone(&self.inner.shared), queue, self.keys(queue).clone(), at_once, stop);
        // The stream holds the queue, so that its signals live as long as its jobs are read.
        stream::unfold((source, self.clone()), |(mut source, queue)| async move {
            Some((source.next().await?, (source, queue)))
        })
        .boxed()
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.inner.shared.is_healthy()
    }

    pub(super) fn signal(&self, signal: Signal) {
        self.inner.signals.send(signal);
    }

    pub(super) fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        // Processes that only push never subscribe.
        self.inner.listening.get_or_init(|| {
            let client = self.inner.shared.client().clone();
            self.spawn(wakeup::listen(client, self.inner.signals.clone()));
        });
        self.inner.signals.watch(signal)
    }

    fn keys(&self, queue: QueueName) -> &Keys {
        self.inner.keys.get(&queue).expect("keys were made for every name")
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.inner.stop.clone().run_until_cancelled_owned(task));
    }
}
