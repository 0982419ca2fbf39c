//! The queue in Redis: a list of jobs and a counter for each queue, read by blocking pops. A job that is taken is gone: the
//! lease on its rows guards the rest, so there is nothing to acknowledge, to sweep or to give back.

mod connection;
mod health;
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

use self::{connection::Link, source::Source, wakeup::Signals};
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
    link: Arc<Link>,
    keys: HashMap<QueueName, Keys>,
    push: Script,
    signals: Signals,
    listening: OnceLock<()>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

/// The keys of one queue. Braces: both lie on one node of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) jobs: String,
    pub(super) waiting: String,
}

impl Keys {
    fn new(namespace: &str, queue: QueueName) -> Self {
        let jobs = format!("{{{namespace}:{queue}}}");
        Self { waiting: format!("{jobs}:waiting"), jobs }
    }
}

impl RedisQueue {
    pub(super) async fn open(url: &str, namespace: &str) -> Result<Self, QueueError> {
        let client = Client::open(url).map_err(QueueError::Address)?;
        let stop = CancellationToken::new();
        let keys = QueueName::ALL.iter().map(|name| (*name, Keys::new(namespace, *name))).collect();
        let inner = Inner {
            link: Arc::new(Link::new(client)),
            keys,
            push: Script::new(include_str!("push.lua")),
            signals: Signals::new(namespace, Uuid::now_v7().simple().to_string()),
            listening: OnceLock::new(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        };
        let queue = Self { inner: Arc::new(inner) };
        queue.spawn(wakeup::publish(Arc::clone(&queue.inner.link), queue.inner.signals.clone()));
        // Logs whether Redis is there and how it is set up; its absence is no error.
        let _ = queue.depth(QueueName::Deliveries).await;
        Ok(queue)
    }

    /// Jobs beyond [`JOBS_A_PUSH`] take another call each, as long as all of the one before were taken. When one of these is
    /// known to have failed, those before it count as taken.
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
        let pushed = self.inner.link.invoke(&script).await;
        self.heal(queue, pushed.as_ref().err()).await;
        let (jobs, waiting) = pushed?;
        Ok(Pushed { jobs, waiting })
    }

    pub(super) async fn depth(&self, queue: QueueName) -> Result<usize, QueueError> {
        let keys = self.keys(queue);
        let mut counts = redis::pipe();
        counts.cmd("LLEN").arg(&keys.jobs).cmd("GET").arg(&keys.waiting);
        let counted = self.inner.link.call(async |connection| counts.query_async(connection).await).await;
        self.heal(queue, counted.as_ref().err()).await;
        let (jobs, waiting): (usize, Option<Vec<u8>>) = counted?;
        // A counter that is lost or no number counts each job once, as the push does.
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
        let source = Source::new(self.clone(), queue, at_once, stop);
        stream::unfold(source, |mut source| async move { Some((source.next().await?, source)) }).boxed()
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.inner.link.is_healthy()
    }

    pub(super) fn signal(&self, signal: Signal) {
        self.inner.signals.send(signal);
    }

    pub(super) fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        // Processes that only push never subscribe.
        self.inner.listening.get_or_init(|| {
            let client = self.inner.link.client().clone();
            self.spawn(wakeup::listen(client, self.inner.signals.clone()));
        });
        self.inner.signals.watch(signal)
    }

    /// Removes keys of a wrong type, which somebody else wrote: they would fail every call from then on.
    async fn heal(&self, queue: QueueName, error: Option<&QueueError>) {
        let Some(QueueError::Redis(error)) = error else { return };
        if error.code() != Some("WRONGTYPE") && !error.to_string().contains("WRONGTYPE") {
            return;
        }
        tracing::error!(%queue, %error, "a key of the queue has a wrong type; the queue is emptied, its rows are claimed");
        let keys = self.keys(queue);
        let mut remove = redis::cmd("UNLINK");
        remove.arg(&keys.jobs).arg(&keys.waiting);
        let removed = async |connection: &mut _| remove.query_async::<i64>(connection).await;
        if let Err(error) = self.inner.link.call_anyway(removed).await {
            tracing::warn!(%queue, %error, "could not remove the key");
        }
    }

    fn keys(&self, queue: QueueName) -> &Keys {
        self.inner.keys.get(&queue).expect("keys were made for every name")
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.inner.stop.clone().run_until_cancelled_owned(task));
    }
}
