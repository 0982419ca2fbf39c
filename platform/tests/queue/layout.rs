//! Pins the layout of apalis-redis 1.0.0 that our scripts write and read. When one of these fails after an upgrade, read
//! its scripts again before anything else.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    future::Pending,
    task::{Context, Poll},
    time::Duration,
};

use apalis_core::{
    backend::ext::BackendExt,
    layers::Service,
    task::{Task, builder::TaskBuilder},
    worker::builder::WorkerBuilder,
};
use apalis_redis::{Config, RedisStorage, queries::push_tasks};
use domain::job::{Hint, QueueName};
use platform::queue::Queue;
use redis::{AsyncCommands, aio::MultiplexedConnection};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;

use super::{
    PATIENCE, eventually, ids, redis_of,
    server::{RedisServer, namespace},
};

const NAME: QueueName = QueueName::Deliveries;

struct Stage {
    queue: Queue,
    config: Config,
    namespace: String,
    connection: MultiplexedConnection,
    _server: RedisServer,
}

async fn stage() -> Stage {
    let (server, namespace) = (RedisServer::any().await, namespace());
    let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let config = redis_of(&queue).config(NAME);
    let connection = server.connection().await;
    Stage { queue, config, namespace, connection, _server: server }
}

impl Stage {
    /// An apalis worker as apalis' own documents build one; each job comes with a way to end it.
    fn worker(
        &self,
        name: &str,
        batch: usize,
    ) -> (JoinHandle<()>, mpsc::Receiver<(Hint, oneshot::Sender<()>)>) {
        let (seen, jobs) = mpsc::channel(100);
        let storage = RedisStorage::<Hint, _>::new(self.connection.clone())
            .with_config(self.config.clone().batch_size(batch))
            .poll_with_interval(Duration::from_millis(10));
        let worker = WorkerBuilder::new(name).backend(storage).build(move |hint: Hint| {
            let seen = seen.clone();
            async move {
                let (end, ended) = oneshot::channel();
                seen.send((hint, end)).await.expect("the test listens");
                let _ = ended.await;
            }
        });
        (tokio::spawn(async move { worker.run().await.expect("nothing breaks it") }), jobs)
    }

    async fn depth(&self) -> usize {
        self.queue.depth(NAME).await.unwrap()
    }
}

#[tokio::test]
async fn a_job_of_ours_is_worked_by_apalis_and_ends_in_the_done_set() {
    let mut stage = stage().await;
    let (ids, request_id) = (ids(33), "a \"quoted\" ü \\ request");
    // Each of its own lane, but for the last one of the first job.
    let mut all: Vec<(Uuid, Uuid)> = ids.iter().map(|id| (*id, Uuid::now_v7())).collect();
    all[31].1 = all[30].1;
    let hint = Hint::of_lanes(all.clone()).caused_by(Some(request_id));
    stage.queue.push(NAME, &hint).await.unwrap();
    let names: BTreeSet<String> =
        stage.connection.lrange(stage.config.active_jobs_list(), 0, -1).await.unwrap();
    let (worker, mut jobs) = stage.worker("one", 10);
    let (first, end_first) = timeout(PATIENCE, jobs.recv()).await.unwrap().unwrap();
    let (second, end_second) = timeout(PATIENCE, jobs.recv()).await.unwrap().unwrap();
    let expected = |all: &[(Uuid, Uuid)]| Hint::of_lanes(all.iter().copied()).caused_by(Some(request_id));
    assert_eq!((&first, &second), (&expected(&all[..32]), &expected(&all[32..])));
    assert_eq!((first.lanes.len(), second.lanes.len()), (31, 1));
    assert_eq!(stage.depth().await, 0, "a job that a worker has does not wait");

    let inflight = format!("{}:one", stage.config.inflight_jobs_set());
    assert_eq!(stage.connection.smembers::<_, BTreeSet<String>>(&inflight).await.unwrap(), names);
    let live: Vec<String> = stage.connection.zrange(stage.config.workers_set(), 0, -1).await.unwrap();
    assert_eq!(live, ["one"]);
    assert!(
        stage
            .connection
            .exists::<_, bool>(format!("{}:metadata:one", stage.config.workers_set()))
            .await
            .unwrap()
    );

    end_first.send(()).unwrap();
    end_second.send(()).unwrap();
    let mut connection = stage.connection.clone();
    let done = stage.config.done_jobs_set();
    eventually("both are done", async || {
        connection.smembers::<_, BTreeSet<String>>(&done).await.unwrap() == names
    })
    .await;
    assert_eq!(stage.connection.scard::<_, usize>(&inflight).await.unwrap(), 0);
    worker.abort();
}

#[tokio::test]
async fn our_push_writes_what_apalis_writes() {
    let mut stage = stage().await;
    stage.queue.push(NAME, &Hint::of(&ids(1))).await.unwrap();
    let ours: Vec<String> = stage.connection.lrange(stage.config.active_jobs_list(), 0, -1).await.unwrap();
    let (data, meta) = (stage.config.job_data_hash(), stage.config.job_meta_hash());
    let job: Vec<u8> = stage.connection.hget(&data, &ours[0]).await.unwrap();
    let hint: Hint = serde_json::from_slice(&job).unwrap();
    assert_eq!(job, serde_json::to_vec(&hint).unwrap(), "byte for byte what the codec writes");

    let task = TaskBuilder::new(job).build();
    push_tasks(&mut stage.connection, &stage.config, &[task]).await.unwrap();
    let names: Vec<String> = stage.connection.hkeys(&data).await.unwrap();
    let theirs = names.iter().find(|name| **name != ours[0]).unwrap();
    let fields: BTreeMap<String, String> =
        stage.connection.hgetall(format!("{meta}:{theirs}")).await.unwrap();
    let of_ours: BTreeMap<String, String> =
        stage.connection.hgetall(format!("{meta}:{}", ours[0])).await.unwrap();
    assert_eq!(of_ours, fields);
}

#[tokio::test]
async fn our_keys_are_the_ones_apalis_names() {
    let mut stage = stage().await;
    stage.queue.push(NAME, &Hint::of(&ids(1))).await.unwrap();
    let name: Vec<String> = stage.connection.lrange(stage.config.active_jobs_list(), 0, -1).await.unwrap();
    let prefix = format!("{}:deliveries", stage.namespace);
    let mut keys: Vec<String> = stage.connection.keys(format!("{}*", stage.namespace)).await.unwrap();
    keys.sort();
    let expected =
        [format!("{prefix}:active"), format!("{prefix}:data"), format!("{prefix}:meta:{}", name[0])];
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn jobs_of_a_dead_worker_come_back_and_are_counted() {
    let mut stage = stage().await;
    stage.config = stage.config.clone().heartbeat_interval(Duration::from_secs(1)).missed_heartbeats(1);
    let pushed = [ids(40), ids(5), ids(1)];
    for ids in &pushed {
        stage.queue.push(NAME, &Hint::of(ids)).await.unwrap();
    }
    let (worker, mut jobs) = stage.worker("dies", 2);
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(timeout(PATIENCE, jobs.recv()).await.unwrap().unwrap());
    }
    worker.abort();
    drop(taken);
    assert_eq!(stage.depth().await, 0);
    let later = ids(70);
    assert_eq!(stage.queue.push(NAME, &Hint::of(&later)).await.unwrap(), 70);
    assert_eq!(stage.depth().await, 70);

    let lives = tokio::spawn(beat(stage.connection.clone(), stage.config.clone()));
    eventually("the jobs of the dead worker wait again", async || stage.depth().await == 46 + 70).await;
    assert!(stage.connection.exists::<_, bool>(stage.config.signal_list()).await.unwrap(), "apalis marks it");
    assert_eq!(
        stage.queue.push(NAME, &Hint::of(&ids(5_000))).await.unwrap(),
        4_096 - 116,
        "and they fill the window"
    );
    assert_eq!(stage.depth().await, 4_096);
    lives.abort();

    let (worker, mut jobs) = stage.worker("drains", 64);
    let mut seen = 0;
    while seen < 4_096 {
        let (hint, end) = timeout(PATIENCE, jobs.recv()).await.unwrap().unwrap();
        seen += hint.ids.len();
        end.send(()).unwrap();
    }
    let (mut connection, signal) = (stage.connection.clone(), stage.config.signal_list());
    eventually("the mark goes with the last job", async || {
        !connection.exists::<_, bool>(&signal).await.unwrap()
    })
    .await;
    assert_eq!(stage.depth().await, 0);
    assert_eq!(stage.queue.push(NAME, &Hint::of(&ids(3))).await.unwrap(), 3);
    worker.abort();
}

/// A worker that lives and takes nothing.
async fn beat(connection: MultiplexedConnection, config: Config) {
    struct Busy;
    impl Service<Task<Hint>> for Busy {
        type Response = ();
        type Error = Infallible;
        type Future = Pending<Result<(), Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Pending
        }

        fn call(&mut self, _: Task<Hint>) -> Self::Future {
            std::future::pending()
        }
    }
    let storage = RedisStorage::<Hint, _>::new(connection).with_config(config);
    WorkerBuilder::new("lives").backend(storage).build(Busy).run().await.expect("nothing breaks it");
}
