//! What a claim passes over because somebody else has its lock is found at once, and not when its hint has run out.

use std::time::Duration;

use domain::{id::EndpointId, job::QueueName};
use platform::database::Pool;
use testkit::{Shape, TestApp, on_both_shapes};
use tokio::time::timeout;
use uuid::Uuid;
use worker::{
    claim::{Candidate, claim},
    dispatch,
};

use crate::{
    at_work::AtWork,
    lanes::{deliveries, number, under_way},
};

/// Far more than any of this takes, and less than the 15 s for which a hint is trusted.
const SOON: Duration = Duration::from_secs(10);

async fn look(app: &TestApp) -> Vec<Uuid> {
    let look = dispatch::deliveries(&app.context, Uuid::nil(), 1_000).await.expect("a look");
    look.found.into_iter().map(|found| found.id).collect()
}

/// The next look that finds something, woken and not by the second.
async fn woken_look(app: &TestApp) -> Vec<Uuid> {
    let mut woken = app.context.queue.woken();
    loop {
        let found = look(app).await;
        if !found.is_empty() {
            return found;
        }
        timeout(SOON, woken.changed()).await.expect("a wake before hints run out").expect("a queue");
    }
}

/// The lock is another look's: its statement saw the row free, was the slower one, looked at the row again under its lock
/// and dropped it, but holds the lock until it ends. A cursor is such a statement, held open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_meets_the_lock_of_a_slower_look_leaves_nothing_to_its_hint() {
    let app = TestApp::start(Shape::Cluster).await;
    let Pool::Postgres(pool) = app.context.database.pool() else { unreachable!("the cluster's") };
    let lane = app.register("http://127.0.0.1:9/").await;
    deliveries(&app, lane, 1, Duration::ZERO).await;
    let mut slower = pool.begin().await.expect("a transaction");
    const LOOK: &str = "DECLARE look CURSOR FOR SELECT id FROM delivery
        WHERE hinted_until <= now_ms() AND lease_until <= now_ms() FOR UPDATE SKIP LOCKED";
    sqlx::query(LOOK).execute(&mut *slower).await.expect("it has its snapshot");
    let hinted = look(&app).await;
    assert_eq!(hinted.len(), 1, "the quicker look has it");
    let dropped = sqlx::query("FETCH ALL FROM look").fetch_all(&mut *slower).await.expect("rows");
    assert_eq!(dropped.len(), 0, "the slower one drops it");
    assert_eq!(claim(&app.context, &hinted).await.expect("a claim").len(), 0, "and still has its lock");

    let work = AtWork::with_slots(&app, 8);
    work.claimer.claim(vec![(hinted[0], lane.0)]).await;
    assert_eq!(under_way(&app, lane).await, 1, "its hint is trusted");
    slower.commit().await.expect("it ends");
    assert_eq!(woken_look(&app).await, hinted);
    work.stop().await;
}

async fn waiting_lane(app: &TestApp, count: usize) -> (EndpointId, Vec<Candidate>) {
    let lane = app.register("http://127.0.0.1:9/").await;
    deliveries(app, lane, count, Duration::ZERO).await;
    let waiting: Vec<Candidate> = look(app).await.into_iter().map(|id| (id, lane.0)).collect();
    assert_eq!(waiting.len(), count);
    (lane, waiting)
}

on_both_shapes! {
    async fn what_a_lane_may_not_have_yet_stays_as_it_is(app: TestApp) {
        let (lane, waiting) = waiting_lane(&app, 10).await;
        let work = AtWork::with_slots(&app, 8);
        work.claimer.claim(waiting).await;
        assert_eq!(app.leased().await, 2);
        assert_eq!(under_way(&app, lane).await, 10, "leased, or hinted as before");
        work.stop().await;
    }

    async fn a_worker_keeps_few_of_a_lane_waiting_and_gives_them_back_when_it_stops(app: TestApp) {
        let (_, waiting) = waiting_lane(&app, 40).await;
        let work = AtWork::with_slots(&app, 8);
        work.claimer.claim(waiting[..8].to_vec()).await;
        work.claimer.claim(waiting[8..].to_vec()).await;
        // Two have slots, sixteen wait for these, and the others are put off and left to the dispatchers.
        assert_eq!(app.leased().await, 2);
        let put_off = "SELECT count(*) FROM delivery WHERE hinted_until BETWEEN {now} - 5000 AND {now} + 5000";
        assert_eq!(number(&app, put_off).await, 22);
        assert_eq!(number(&app, "SELECT count(*) FROM lane WHERE backlog_until > {now}").await, 1);
        work.stop().await;
        assert_eq!(number(&app, "SELECT count(*) FROM delivery WHERE hinted_until = 0").await, 18, "two leased, sixteen given back");
        assert_eq!(app.context.queue.depth(QueueName::Deliveries).await.expect("a depth"), 0);
    }

    async fn a_worker_whose_slots_are_taken_gives_back_what_jobs_have_handed_in_when_it_stops(app: TestApp) {
        let (_, waiting) = waiting_lane(&app, 5).await;
        let work = AtWork::with_slots(&app, 1);
        let claimer = work.claimer.clone();
        let claim = |n: usize| claimer.claim(vec![waiting[n]]);
        claim(0).await;
        assert_eq!(app.leased().await, 1, "its only slot");
        // Polled one after the other: four are handed in before it is told to stop.
        tokio::join!(claim(1), claim(2), claim(3), claim(4), work.stop());
        assert_eq!(number(&app, "SELECT count(*) FROM delivery WHERE hinted_until > 0").await, 0);
    }
}
