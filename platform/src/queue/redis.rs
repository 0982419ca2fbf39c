//! The queue in Redis, in the layout of apalis-redis 1.0.0, which a contract test pins. Must never use its `scheduled`
//! set: more than about 8,000 due jobs there stop apalis for good.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use apalis_redis::Config;
use domain::job::{Hint, MAX_IDS_PER_JOB, QueueName, WINDOW};
use redis::{Client, RedisError, aio::MultiplexedConnection};
use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{
    QueueError,
    bell::{self, Bell, ring},
    link::{self, Link},
    scripts::Scripts,
};

pub use super::link::{CALL_TIMEOUT, CONNECT_TIMEOUT};

/// Most finished jobs that one sweep removes.
pub const SWEEP_LIMIT: usize = 500;
/// How often a job may kill a worker before the queue is wiped.
pub const BROKEN_LIMIT: usize = 3;
/// How long a killed worker is held against the queue. A job that kills comes back after a worker's heartbeats were missed.
const BROKEN_KEPT: Duration = Duration::from_secs(600);
/// How long what apalis stores about a worker outlives it.
const METADATA_KEPT: Duration = Duration::from_secs(600);
const HEARTBEAT: Duration = Duration::from_secs(5);
const MISSED_HEARTBEATS: usize = 3;

/// Jobs in Redis, shared by every process with the same address and namespace.
#[derive(Clone)]
pub struct RedisQueue {
    inner: Arc<Inner>,
}

struct Inner {
    namespace: String,
    instance: String,
    link: Arc<Link>,
    scripts: Scripts,
    wake: Bell,
    pushed: HashMap<QueueName, Bell>,
    rung: Arc<Notify>,
    listening: OnceLock<()>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl RedisQueue {
    pub(super) async fn open(url: &str, namespace: &str) -> Result<Self, QueueError> {
        let client = Client::open(url).map_err(QueueError::Address)?;
        let stop = CancellationToken::new();
        let inner = Inner {
            namespace: namespace.to_owned(),
            link: Arc::new(Link::new(client)),
            scripts: Scripts::new(),
            instance: Uuid::now_v7().simple().to_string(),
            wake: Bell::new(0),
            pushed: QueueName::ALL.iter().map(|name| (*name, Bell::new(0))).collect(),
            rung: Arc::default(),
            listening: OnceLock::new(),
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        };
        let queue = Self { inner: Arc::new(inner) };
        queue.publish();
        // Says in the log whether Redis is there and keeps what it is given; its absence is no error.
        let _ = queue.depth(QueueName::Deliveries).await;
        Ok(queue)
    }

    pub(super) async fn push(&self, queue: QueueName, hint: &Hint) -> Result<usize, QueueError> {
        let config = self.config(queue);
        let mut script = self.inner.scripts.push.prepare_invoke();
        script
            .key(config.active_jobs_list())
            .key(config.signal_list())
            .key(config.job_data_hash())
            .key(config.job_meta_hash())
            .arg(WINDOW)
            .arg(MAX_IDS_PER_JOB)
            .arg(Uuid::now_v7().simple().to_string())
            .arg(self.pushed_channel(queue))
            .arg(hint.ids.len().min(WINDOW));
        for id in hint.ids.iter().take(WINDOW) {
            script.arg(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) as &str);
        }
        for job in hint.jobs(WINDOW) {
            script.arg(end_of(job));
        }
        self.inner.link.invoke(&script).await
    }

    pub(super) async fn depth(&self, queue: QueueName) -> Result<usize, QueueError> {
        let config = self.config(queue);
        let mut script = self.inner.scripts.depth.prepare_invoke();
        script.key(config.active_jobs_list()).key(config.signal_list());
        self.inner.link.invoke(&script).await
    }

    pub(super) async fn sweep_finished(&self, queue: QueueName) -> Result<usize, QueueError> {
        let config = self.config(queue);
        let mut script = self.inner.scripts.sweep.prepare_invoke();
        script
            .key(config.done_jobs_set())
            .key(config.dead_jobs_set())
            .key(config.job_data_hash())
            .key(config.job_meta_hash())
            .key(config.workers_set())
            .key(metadata_prefix(&config))
            .key(config.active_jobs_list())
            .key(config.scheduled_jobs_set())
            .key(config.inflight_jobs_set())
            .arg(SWEEP_LIMIT)
            .arg(millis(METADATA_KEPT));
        self.inner.link.invoke(&script).await
    }

    /// Notes that a job of `queue` killed a worker; at the [`BROKEN_LIMIT`]th time in ten minutes drops every job of it
    /// and returns true. The database still has the work.
    pub async fn report_broken(&self, queue: QueueName) -> Result<bool, QueueError> {
        let config = self.config(queue);
        let mut script = self.inner.scripts.broken.prepare_invoke();
        script
            .key(format!("{}:broken", config.queue))
            .key(config.active_jobs_list())
            .key(config.scheduled_jobs_set())
            .key(config.signal_list())
            .key(config.done_jobs_set())
            .key(config.workers_set())
            .key(config.inflight_jobs_set())
            .key(config.job_data_hash())
            .arg(BROKEN_LIMIT)
            .arg(millis(BROKEN_KEPT));
        self.inner.link.call_anyway(async |connection| script.invoke_async(connection).await).await
    }

    /// Takes a worker that stopped off the list of live ones, unless it still holds jobs.
    pub async fn forget_worker(&self, queue: QueueName, worker: &str) -> Result<(), QueueError> {
        let config = self.config(queue);
        let mut script = self.inner.scripts.forget.prepare_invoke();
        script
            .key(config.workers_set())
            .key(format!("{}:{worker}", config.inflight_jobs_set()))
            .key(format!("{}:{worker}", metadata_prefix(&config)))
            .arg(worker);
        self.inner.link.invoke(&script).await
    }

    /// How apalis must be set up to work `queue`; the batch is the caller's. Results are kept only because apalis cannot
    /// acknowledge without them.
    #[must_use]
    pub fn config(&self, queue: QueueName) -> Config {
        Config::default()
            .queue(format!("{}:{queue}", self.inner.namespace))
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS)
            .lock_tasks(false)
            .emit_events(false)
    }

    /// A connection for one worker, which ends with it. An answer may take [`CALL_TIMEOUT`].
    pub async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        link::connect(self.inner.link.client(), CALL_TIMEOUT).await
    }

    /// Changes whenever jobs came into `queue` while it was empty.
    #[must_use]
    pub fn pushed(&self, queue: QueueName) -> watch::Receiver<u64> {
        self.listen();
        self.inner.pushed.get(&queue).expect("a bell was made for every name").subscribe()
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.inner.link.is_healthy()
    }

    pub(super) fn wake(&self) {
        ring(&self.inner.wake);
        self.inner.rung.notify_one();
    }

    pub(super) fn woken(&self) -> watch::Receiver<u64> {
        self.listen();
        self.inner.wake.subscribe()
    }

    fn publish(&self) {
        let mut message = redis::cmd("PUBLISH");
        message.arg(self.wake_channel()).arg(&self.inner.instance);
        self.spawn(bell::publish(Arc::clone(&self.inner.link), message, Arc::clone(&self.inner.rung)));
    }

    // Processes that only push never subscribe.
    fn listen(&self) {
        self.inner.listening.get_or_init(|| {
            let pushed = self.inner.pushed.iter();
            let mut bells: HashMap<_, _> =
                pushed.map(|(name, bell)| (self.pushed_channel(*name), bell.clone())).collect();
            bells.insert(self.wake_channel(), self.inner.wake.clone());
            let client = self.inner.link.client().clone();
            self.spawn(bell::listen(client, bells, self.inner.instance.clone()));
        });
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.inner.stop.clone().run_until_cancelled_owned(task));
    }

    fn wake_channel(&self) -> String {
        format!("{}:wake", self.inner.namespace)
    }

    fn pushed_channel(&self, queue: QueueName) -> String {
        format!("{}:{queue}:pushed", self.inner.namespace)
    }
}

/// The script writes `{"ids":[…]`, as many as there is room for; this closes it as serde writes a `Hint`.
fn end_of(job: Hint) -> String {
    let without_ids =
        serde_json::to_string(&Hint { ids: vec![], ..job }).expect("strings and lists are JSON");
    without_ids.strip_prefix(r#"{"ids":[]"#).map(str::to_owned).expect("ids are the first field")
}

fn metadata_prefix(config: &Config) -> String {
    format!("{}:metadata", config.workers_set())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
