//! Ten processes hint at once.

use std::{collections::BTreeSet, path::Path, time::Duration};

use domain::job::{Hint, QueueName, WINDOW};
use platform::{
    config::environment,
    queue::{Backend, Queue, redis::RedisQueue},
};
use testkit::{process::Launch, servers::OwnRedis, wait::until};
use uuid::Uuid;

const PROCESSES: usize = 10;
/// What each of them has to hint; together six windows.
const IDS_EACH: usize = 2_500;
/// Ids that one push brings.
const IDS_A_PUSH: usize = 50;
const DONE_WITHIN: Duration = Duration::from_secs(50);
/// Tells a process which Redis to hint.
const REDIS: &str = "DRILL_REDIS_URL";
const HINTS: &str = "window::a_process_that_hints";

#[tokio::test(flavor = "multi_thread")]
async fn ten_processes_hinting_at_once_never_pass_the_window() {
    let (redis, folder) = (OwnRedis::start().await, tempfile::tempdir().expect("a temporary folder"));
    let queue = Queue::redis(&redis.url()).await.expect("an address");
    let Backend::Redis(backend) = queue.backend() else { unreachable!("it was opened on Redis") };
    let itself = std::env::current_exe().expect("a test is a program");
    let mut hinters: Vec<_> =
        (0..PROCESSES).map(|number| hinter(&itself, folder.path(), number, &redis).start()).collect();

    let (mut deepest, mut filled, mut taken) = (0, 0, BTreeSet::new());
    until("all was hinted and taken", DONE_WITHIN, async || {
        let held = held(&redis, backend).await;
        assert!(held <= WINDOW, "the queue holds {held} ids");
        deepest = deepest.max(held);
        // Makes room only when the window is full, so that it fills again and again against all of them.
        let left = PROCESSES * IDS_EACH - taken.len();
        if held == WINDOW || held == left {
            filled += usize::from(held == WINDOW);
            take(&redis, backend, &mut taken).await;
        }
        (taken.len() == PROCESSES * IDS_EACH).then_some(())
    })
    .await;
    for hinter in &mut hinters {
        assert!(hinter.wait_exit(DONE_WITHIN).await.success());
    }
    println!(
        "{PROCESSES} processes hinted {} ids; the window was full {filled} times and held {deepest} at most",
        taken.len()
    );
    assert!(filled >= 3, "the window was never put to the test");
    assert_eq!(queue.depth(QueueName::Deliveries).await.expect("Redis answers"), 0);
}

/// This test binary again, with one test of it and a Redis to hint.
fn hinter(itself: &Path, folder: &Path, number: usize, redis: &OwnRedis) -> Launch {
    let launch = Launch::new(itself, folder, &format!("hinter-{number}"));
    launch.argument("--exact").argument(HINTS).argument("--ignored").set(REDIS, redis.url())
}

#[tokio::test]
#[ignore = "a part of ten_processes_hinting_at_once_never_pass_the_window, which starts it ten times"]
async fn a_process_that_hints() {
    let Some(url) = environment(REDIS) else { return };
    let queue = Queue::redis(&url).await.expect("an address");
    let ids: Vec<Uuid> = (0..IDS_EACH).map(|_| Uuid::now_v7()).collect();
    let mut left = ids.as_slice();
    while !left.is_empty() {
        let next = &left[..left.len().min(IDS_A_PUSH)];
        let taken = queue.push(QueueName::Deliveries, &Hint::of(next)).await.expect("Redis answers");
        left = &left[taken..];
    }
}

/// The ids that wait, by the names of the jobs: `<position>-<ids>-…`. Not the queue's own count.
async fn held(redis: &OwnRedis, backend: &RedisQueue) -> usize {
    let active = backend.config(QueueName::Deliveries).active_jobs_list();
    let jobs: Vec<String> = redis.ask(&["LRANGE", &active, "0", "-1"]).await;
    let ids = |job: &String| job.split('-').nth(1)?.parse::<usize>().ok();
    jobs.iter().map(|job| ids(job).expect("a job of ours")).sum()
}

/// Takes a third of what waits, from the head as workers do.
async fn take(redis: &OwnRedis, backend: &RedisQueue, taken: &mut BTreeSet<Uuid>) {
    let config = backend.config(QueueName::Deliveries);
    let waiting: usize = redis.ask(&["LLEN", &config.active_jobs_list()]).await;
    let some = (waiting / 3).max(1).to_string();
    let jobs: Vec<String> = redis.ask(&["LPOP", &config.active_jobs_list(), &some]).await;
    let mut question = vec!["HMGET".to_owned(), config.job_data_hash()];
    question.extend(jobs);
    let data: Vec<String> = redis.ask(&question.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for job in data {
        let hint: Hint = serde_json::from_str(&job).expect("a hint");
        taken.extend(hint.ids);
    }
}
