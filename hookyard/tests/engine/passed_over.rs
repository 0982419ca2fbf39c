//! What a claim passes over because somebody else has its lock is found at once, and not when its hint has run out.

use std::time::Duration;

use domain::{id::EndpointId, job::QueueName};
use platform::database::Pool;
use testkit::{Shape, TestApp, on_both_shapes};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::{
    claim::{Claimer, Claims, Share, Slots, claim, claim_within},
    dispatch,
};

use crate::lanes::{deliveries, number, under_way};

/// Far more than any of this takes, and less than the 15 s for which a hint is trusted.
const SOON: Duration = Duration::from_secs(10);

async fn look(app: &TestApp) -> Vec<Uuid> {
    let look = dispatch::deliveries(&app.context, Uuid::nil(), 1_000).await.expect("a look");
    look.found.into_iter().map(|found| found.id).collect()
}

/// A claimer at work that sends nothing: what it claims holds its slot for ever.
struct AtWork {
    claimer: Claimer,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl AtWork {
    fn with_slots(app: &TestApp, slots: usize) -> Self {
        let (claimer, claims): (Claimer, Claims) = Claimer::new(&app.context, Slots::new(slots));
        let stop = CancellationToken::new();
        let until = stop.clone();
        let running = tokio::spawn(async move { claims.run(until, |_, slot| std::mem::forget(slot)).await });
        Self { claimer, stop, running }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("it ends");
    }
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
    work.claimer.claim(hinted.clone()).await;
    assert_eq!(under_way(&app, lane).await, 1, "its hint is trusted");
    slower.commit().await.expect("it ends");
    assert_eq!(woken_look(&app).await, hinted);
    work.stop().await;
}

async fn waiting_lane(app: &TestApp, count: usize) -> (EndpointId, Vec<Uuid>) {
    let lane = app.register("http://127.0.0.1:9/").await;
    deliveries(app, lane, count, Duration::ZERO).await;
    let ids = look(app).await;
    assert_eq!(ids.len(), count);
    (lane, ids)
}

on_both_shapes! {
    async fn what_a_lane_may_not_have_yet_is_told_with_its_lane_and_stays_as_it_is(app: TestApp) {
        let (lane, ids) = waiting_lane(&app, 10).await;
        let claim = claim_within(&app.context, &ids, &Share { free: 8, used: [].into() }).await.expect("a claim");
        assert_eq!((claim.claimed.len(), claim.refused.len()), (2, 8));
        assert!(claim.refused.iter().all(|(_, of)| *of == lane.0));
        assert_eq!(under_way(&app, lane).await, 10, "leased, or hinted as before");
    }

    async fn a_worker_keeps_few_of_a_lane_waiting_and_gives_them_back_when_it_stops(app: TestApp) {
        let (lane, ids) = waiting_lane(&app, 40).await;
        let work = AtWork::with_slots(&app, 8);
        work.claimer.claim(ids[..8].to_vec()).await;
        work.claimer.claim(ids[8..].to_vec()).await;
        // Two have slots, sixteen wait for these, and the others are put off and left to the dispatchers.
        assert_eq!(app.leased().await, 2);
        let put_off = "SELECT count(*) FROM delivery WHERE hinted_until BETWEEN {now} - 5000 AND {now} + 5000";
        assert_eq!(number(&app, put_off).await, 22);
        assert_eq!(number(&app, "SELECT count(*) FROM lane WHERE backlog_until > {now}").await, 1);
        work.stop().await;
        assert_eq!(number(&app, "SELECT count(*) FROM delivery WHERE hinted_until = 0").await, 18, "two leased, sixteen given back");
        assert_eq!(app.context.queue.depth(QueueName::Deliveries).await.expect("a depth"), 0);
        let _ = lane;
    }
}
