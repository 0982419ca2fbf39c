//! Jobs that cannot be read.

use std::time::{Duration, Instant};

use domain::job::QueueName;
use platform::queue::{Backend, Queue};
use testkit::{Receiver, http::Sent, wait::until};

use crate::{
    cluster::Cluster,
    tally::{calls_by_id, files, names},
};

const ARRIVE_WITHIN: Duration = Duration::from_secs(55);
const UPLOADS: usize = 60;
/// How soon a file arrives when all is well.
const PROMPT: Duration = Duration::from_secs(5);
/// Jobs without data, and with data that is none; one more than a wipe needs.
const POISON: [&str; 4] = ["32-32-poison-a", "64-32-poison-b", "no-name-of-ours", "96-32-poison-d"];

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_queue_heals_by_itself() {
    let (cluster, receiver) = (Cluster::new().await, Receiver::start(0).await.expect("a free port"));
    let _api = cluster.start_api().await;
    let workers = [cluster.start_worker("one").await, cluster.start_worker("two").await];
    let webhook = cluster.client().register(&receiver.url("/hook")).await;
    let keys =
        [Keys::of(&cluster, QueueName::Uploads).await, Keys::of(&cluster, QueueName::Deliveries).await];
    for keys in &keys {
        keys.poison(&cluster).await;
    }
    let start = Instant::now();
    let sent = cluster.client().upload_each(webhook, names("file", UPLOADS), 8).await;
    assert!(sent.iter().all(Sent::is_accepted), "{sent:?}");
    let rows = cluster.rows();
    until("all arrived", ARRIVE_WITHIN, async || {
        (rows.counts().await.succeeded == UPLOADS as i64).then_some(())
    })
    .await;
    let arrived_in = start.elapsed();
    until("the poison is gone", ARRIVE_WITHIN, async || {
        for keys in &keys {
            if keys.poison_left(&cluster).await > 0 {
                return None;
            }
        }
        Some(())
    })
    .await;
    let (broken, wiped) = workers.iter().fold((0, 0), |(broken, wiped), worker| {
        (broken + worker.lines_with("cannot be read"), wiped + worker.lines_with("was wiped"))
    });
    println!(
        "{UPLOADS} arrived {arrived_in:?} after the poison, gone after {:?}; broken jobs {broken}, wipes {wiped}; {:?}",
        start.elapsed(),
        rows.counts().await
    );
    assert_eq!(files(&receiver.calls()), names("file", UPLOADS).into_iter().collect());
    assert!(calls_by_id(&receiver.calls()).values().all(|calls| *calls == 1), "something was repeated");

    let start = Instant::now();
    cluster.client().upload(webhook, "afterwards.txt", b"well again").await;
    assert_eq!(receiver.wait_for(UPLOADS + 1, PROMPT).await.len(), UPLOADS + 1, "it is not well again");
    println!("a file that came afterwards took {:?}", start.elapsed());
}

/// Where apalis keeps the jobs of a queue.
struct Keys {
    active: String,
    data: String,
    meta: String,
    in_flight: String,
}

impl Keys {
    async fn of(cluster: &Cluster, name: QueueName) -> Self {
        let queue = Queue::redis(&cluster.redis.url()).await.expect("an address");
        let Backend::Redis(backend) = queue.backend() else { unreachable!("it was opened on Redis") };
        let config = backend.config(name);
        Self {
            active: config.active_jobs_list(),
            data: config.job_data_hash(),
            meta: config.job_meta_hash(),
            in_flight: config.inflight_jobs_set(),
        }
    }

    async fn poison(&self, cluster: &Cluster) {
        let last = POISON[POISON.len() - 1];
        cluster.redis.ask::<()>(&["HSET", &self.data, last, "{broken"]).await;
        cluster.redis.ask::<()>(&["HSET", &format!("{}:{last}", self.meta), "attempts", "many"]).await;
        for job in POISON {
            cluster.redis.ask::<()>(&["LPUSH", &self.active, job]).await;
        }
    }

    /// Poison that waits, or that a dead worker has.
    async fn poison_left(&self, cluster: &Cluster) -> usize {
        let mut jobs: Vec<String> = cluster.redis.ask(&["LRANGE", &self.active, "0", "-1"]).await;
        let sets: Vec<String> = cluster.redis.ask(&["KEYS", &format!("{}:*", self.in_flight)]).await;
        for set in sets {
            jobs.extend(cluster.redis.ask::<Vec<String>>(&["SMEMBERS", &set]).await);
        }
        jobs.iter().filter(|job| POISON.contains(&job.as_str())).count()
    }
}
