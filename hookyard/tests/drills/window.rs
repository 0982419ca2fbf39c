//! Ten processes push at once.

use std::{collections::BTreeSet, path::Path, time::Duration};

use domain::{
    clock::Millis,
    job::{HandedDelivery, Handover, Job, MAX_DELIVERIES_PER_JOB, QueueName, WINDOW, Work},
};
use futures_util::{StreamExt, future::ready};
use platform::{config::environment, queue::Queue};
use testkit::{process::Launch, servers::OwnRedis, wait::until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const PROCESSES: usize = 10;
/// What each of them has to push; together six windows.
const DELIVERIES_EACH: usize = 2_500;
/// Jobs that one push offers.
const JOBS_A_PUSH: usize = 4;
const DONE_WITHIN: Duration = Duration::from_secs(50);
const NAME: QueueName = QueueName::Deliveries;
const LIST: &str = "{hookyard:deliveries}";
/// Names the Redis that a process pushes to.
const REDIS: &str = "DRILL_REDIS_URL";
const PUSHES: &str = "window::a_process_that_pushes";

#[tokio::test(flavor = "multi_thread")]
async fn ten_processes_pushing_at_once_never_pass_the_window() {
    let (redis, folder) = (OwnRedis::start().await, tempfile::tempdir().expect("a temporary folder"));
    let queue = Queue::redis(&redis.url()).await.expect("an address");
    let itself = std::env::current_exe().expect("a test is a program");
    let mut pushers: Vec<_> =
        (0..PROCESSES).map(|number| pusher(&itself, folder.path(), number, &redis).start()).collect();

    let (mut deepest, mut filled, mut taken) = (0, 0, vec![]);
    until("all was pushed and taken", DONE_WITHIN, async || {
        let waiting = waiting(&redis).await;
        assert!(waiting <= WINDOW, "{waiting} deliveries wait");
        deepest = deepest.max(waiting);
        // Makes room only when no job fits any more, so that it fills again and again against all of them.
        let is_full = waiting > WINDOW - MAX_DELIVERIES_PER_JOB;
        if is_full || waiting == PROCESSES * DELIVERIES_EACH - taken.len() {
            filled += usize::from(is_full);
            take_jobs(&queue, waiting / 3, &mut taken).await;
        }
        (taken.len() == PROCESSES * DELIVERIES_EACH).then_some(())
    })
    .await;
    for pusher in &mut pushers {
        assert!(pusher.wait_exit(DONE_WITHIN).await.success());
    }
    println!(
        "{PROCESSES} processes pushed {} deliveries; the window was full {filled} times and held {deepest} at most",
        taken.len()
    );
    assert!(filled >= 3, "the window was never put to the test");
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len(), "a delivery was handed out twice");
    assert_eq!(queue.depth(NAME).await.expect("Redis answers"), 0);
}

/// This test binary again, with one test of it and a Redis to push to.
fn pusher(itself: &Path, folder: &Path, number: usize, redis: &OwnRedis) -> Launch {
    let launch = Launch::new(itself, folder, &format!("pusher-{number}"));
    launch.argument("--exact").argument(PUSHES).argument("--ignored").set(REDIS, redis.url())
}

#[tokio::test]
#[ignore = "a part of ten_processes_pushing_at_once_never_pass_the_window, which starts it ten times"]
async fn a_process_that_pushes() {
    let Some(url) = environment(REDIS) else { return };
    let queue = Queue::redis(&url).await.expect("an address");
    let jobs = jobs();
    let mut left = jobs.as_slice();
    while !left.is_empty() {
        let next = &left[..left.len().min(JOBS_A_PUSH)];
        let pushed = queue.push(NAME, next).await.expect("Redis answers");
        assert!(pushed.waiting <= WINDOW, "{pushed:?}");
        left = &left[pushed.jobs..];
    }
}

/// [`DELIVERIES_EACH`] in jobs of all weights.
fn jobs() -> Vec<Job> {
    let (mut jobs, mut left) = (vec![], DELIVERIES_EACH);
    for weight in (1..=MAX_DELIVERIES_PER_JOB).cycle() {
        if left == 0 {
            break;
        }
        let mut handover = Handover::default();
        for _ in 0..weight.min(left) {
            handover.push(Uuid::nil(), None, delivery());
            left -= 1;
        }
        let work = Work::Deliveries(handover);
        jobs.push(Job { accepted_at: Millis(0), lease_until: Millis(0), work, request_id: None });
    }
    jobs
}

fn delivery() -> HandedDelivery {
    let (id, endpoint_id) = (Uuid::now_v7(), Uuid::nil());
    HandedDelivery { id, event: 0, user_id: None, endpoint_id, claim: 1, has_own_body: false, body: None }
}

/// The deliveries that wait, by the jobs themselves. Not the queue's own count.
async fn waiting(redis: &OwnRedis) -> usize {
    let jobs: Vec<String> = redis.ask(&["LRANGE", LIST, "0", "-1"]).await;
    jobs.iter().map(|job| serde_json::from_str::<Job>(job).expect("a job of ours").weight()).sum()
}

/// Takes about this many deliveries as a worker does that is stopped then.
async fn take_jobs(queue: &Queue, about: usize, taken: &mut Vec<Uuid>) {
    let (stop, before) = (CancellationToken::new(), taken.len());
    let jobs = queue.jobs(NAME, 16, stop.clone());
    let take = jobs.for_each(|job| {
        let Work::Deliveries(handover) = job.work else { panic!("a job of deliveries") };
        taken.extend(handover.deliveries.iter().map(|delivery| delivery.id));
        if taken.len() - before >= about {
            stop.cancel();
        }
        ready(())
    });
    tokio::time::timeout(DONE_WITHIN, take).await.expect("what waits is handed out");
}
