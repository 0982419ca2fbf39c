//! Claims: what is due and has no live lease is claimed lane by lane, each delivery once.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use domain::id::{EndpointId, LaneId};
use entity::lane::scan::DueLane;
use testkit::{Shape, TestApp, on_both_shapes, wait};
use tokio::time::timeout;
use uuid::Uuid;
use worker::{
    claim::{Claimed, Claims, Gate, Recipient, Wanted, claim, scan},
    endpoints::EndpointCache,
    lanes::Holder,
};

use crate::{
    claim_loop::AtWork,
    lanes::{deliveries, literal, number, run, set_lane},
};

const DUE: Duration = Duration::ZERO;
/// Most that a worker may take for a few claims.
const SOON: Duration = Duration::from_secs(30);

async fn lane(app: &TestApp, count: usize) -> EndpointId {
    let lane = app.register("http://127.0.0.1:9/").await;
    deliveries(app, lane, count, DUE).await;
    lane
}

const fn wanted(lane: EndpointId, rows: usize) -> Wanted {
    Wanted { holder: Holder::of_lane(LaneId(lane.0)), rows, gate: Gate::Open }
}

async fn claim_all(app: &TestApp, wanted: &[Wanted]) -> Claims {
    claim(&app.context, &EndpointCache::new(&app.context), wanted).await.expect("a claim")
}

/// How many are claimed of this lane.
async fn claimed(app: &TestApp, lane: EndpointId, rows: usize) -> usize {
    claim_all(app, &[wanted(lane, rows)]).await.claimed.len()
}

async fn has_backlog(app: &TestApp, lane: EndpointId) -> bool {
    let lane = literal(app, lane.0);
    let noted = "backlog_until BETWEEN {now} + 1 AND {now} + 3000";
    number(app, &format!("SELECT count(*) FROM lane WHERE id = {lane} AND {noted}")).await == 1
}

on_both_shapes! {
    async fn the_oldest_of_each_lane_are_claimed_as_many_as_are_wanted(app: TestApp) {
        let (first, second) = (lane(&app, 5).await, lane(&app, 2).await);
        deliveries(&app, first, 3, Duration::from_secs(9)).await;
        let claims = claim_all(&app, &[wanted(first, 4), wanted(second, 4)]).await;
        assert_eq!((claims.count_of(first.0), claims.count_of(second.0), claims.claimed.len()), (4, 2, 6));
        let old = "SELECT count(*) FROM delivery WHERE due_at <= {now} - 9000 AND lease_until > {now} AND claim = 1";
        assert_eq!((number(&app, old).await, app.leased().await), (3, 6));
        let is_whole = |one: &Claimed| one.claim == 1 && one.has_body && !one.body.is_empty() && matches!(one.recipient, Recipient::Endpoint(_));
        assert!(claims.claimed.iter().all(is_whole), "{:?}", claims.claimed);
    }

    async fn a_slow_lane_with_more_due_than_slots_is_reported_to_have_a_backlog(app: TestApp) {
        let (more, less) = (lane(&app, 9).await, lane(&app, 1).await);
        let claimer = AtWork::holding(&app, 20);
        wait::until("it is reported", SOON, async || has_backlog(&app, more).await.then_some(())).await;
        assert!(!has_backlog(&app, less).await);
        claimer.stop().await;
    }

    async fn what_is_leased_or_not_due_or_may_not_be_sent_stays(app: TestApp) {
        let lane = lane(&app, 2).await;
        for change in ["lease_until = {now} + 60000", "due_at = {now} + 60000"] {
            run(&app, &format!("UPDATE delivery SET {change}")).await;
            assert_eq!(claimed(&app, lane, 9).await, 0, "{change}");
            run(&app, "UPDATE delivery SET lease_until = 0, due_at = {now}").await;
        }
        for change in [
            "state = 'paused'", "blocked_until = {now} + 60000", "breaker_until = {now} - 1",
            "rate_limit = 1", "max_in_flight = 9", "drain_before = {now}",
        ] {
            set_lane(&app, lane, change).await;
            assert_eq!(claimed(&app, lane, 9).await, 0, "{change}");
            let well = "state = 'active', blocked_until = 0, breaker_until = 0, rate_limit = NULL, max_in_flight = NULL, drain_before = 0";
            set_lane(&app, lane, well).await;
        }
        assert_eq!(claimed(&app, lane, 9).await, 2);
    }

    async fn claims_at_the_same_moment_get_each_delivery_once(app: TestApp) {
        let lane = lane(&app, 60).await;
        let wanted = [wanted(lane, 10)];
        let claims = futures_util::future::join_all((0..8).map(|_| claim_all(&app, &wanted))).await;
        let ids: Vec<_> = claims.iter().flat_map(|claims| &claims.claimed).map(|claimed| claimed.id()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        let rest = claimed(&app, lane, 60).await;
        assert_eq!((ids.len() + rest, app.leased().await), (60, 60));
    }

    async fn a_delivery_whose_lease_ended_is_claimed_again(app: TestApp) {
        let lane = lane(&app, 3).await;
        assert_eq!(claimed(&app, lane, 9).await, 3);
        assert_eq!(scan(&app.context, Uuid::nil()).await.expect("a scan").lanes, [], "all of it is leased");
        app.clock.forward(Duration::from_secs(16));
        let due = DueLane { id: lane.0, channel: Some("webhook".to_owned()), user_id: Some(1), gate: Gate::Open };
        assert_eq!(scan(&app.context, Uuid::nil()).await.expect("a scan").lanes, [due]);
        assert_eq!(claimed(&app, lane, 9).await, 3);
        assert_eq!(number(&app, "SELECT count(*) FROM delivery WHERE claim = 2").await, 3);
    }

    async fn a_scan_finds_lanes_in_turn_with_what_may_be_claimed_of_them(app: TestApp) {
        let (open, limited, paused) = (lane(&app, 1).await, lane(&app, 1).await, lane(&app, 1).await);
        set_lane(&app, limited, "rate_limit = 5").await;
        set_lane(&app, paused, "state = 'paused'").await;
        let found = scan(&app.context, Uuid::nil()).await.expect("a scan");
        let found: BTreeMap<Uuid, bool> = found.lanes.iter().map(|lane| (lane.id, lane.gate == Gate::Open)).collect();
        assert_eq!(found, BTreeMap::from([(open.0, true), (limited.0, false)]));
        let last = open.0.max(limited.0).max(paused.0);
        assert_eq!(scan(&app.context, last).await.expect("a scan").lanes, [], "there is no lane behind the last one");
    }

    async fn a_scan_passes_a_bounded_number_of_lanes_and_the_next_goes_on_behind_them(app: TestApp) {
        let mut expected = vec![];
        for n in 0..260 {
            let lane = app.register(&format!("http://127.0.0.1:9/{n}")).await;
            deliveries(&app, lane, 1, DUE).await;
            expected.push(lane.0);
        }
        expected.sort_unstable();
        let first = scan(&app.context, Uuid::nil()).await.expect("a scan");
        assert_eq!((first.lanes.len(), first.stopped_at), (256, Some(expected[255])));
        let second = scan(&app.context, expected[255]).await.expect("a scan");
        assert_eq!((second.lanes.len(), second.stopped_at), (4, None));
    }

    async fn a_worker_claims_a_backlog_to_its_end_and_no_more_at_a_time_than_its_share(app: TestApp) {
        lane(&app, 40).await;
        let work = AtWork::holding(&app, 8);
        wait::until("two of eight slots", SOON, async || (app.leased().await == 2).then_some(())).await;
        work.stop().await;
        assert_eq!(app.leased().await, 2, "a quarter of the slots");
        let work = AtWork::with(&app, 8, drop);
        wait::until("the end of the backlog", SOON, async || (app.leased().await == 40).then_some(())).await;
        work.stop().await;
        assert_eq!(number(&app, "SELECT count(*) FROM delivery WHERE claim = 1 AND lease_until > {now}").await, 40);
    }

    async fn a_lane_that_is_full_gets_nothing_more_and_holds_up_no_other(app: TestApp) {
        let (a, b) = (lane(&app, 10).await, app.register("http://127.0.0.1:9/b").await);
        let work = AtWork::holding(&app, 8);
        wait::until("a quarter of the slots", SOON, async || (app.leased().await == 2).then_some(())).await;
        deliveries(&app, b, 1, DUE).await;
        app.context.queue.wake();
        wait::until("the other lane's", SOON, async || (app.leased().await == 3).then_some(())).await;
        work.stop().await;
        let of_a = format!("SELECT count(*) FROM delivery WHERE lease_until > {{now}} AND lane_id = {}", literal(&app, a.0));
        assert_eq!((number(&app, &of_a).await, app.leased().await), (2, 3));
        assert_eq!(number(&app, "SELECT count(*) FROM delivery WHERE claim > 1").await, 0);
    }
}

/// A claim passes over rows that another transaction has locked, and finds them at its next scan.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_row_is_passed_over_and_claimed_when_the_lock_is_gone() {
    let app = TestApp::start(Shape::Cluster).await;
    let platform::database::Pool::Postgres(pool) = app.context.database.pool() else {
        unreachable!("the cluster's")
    };
    let lane = lane(&app, 2).await;
    let mut holder = pool.begin().await.expect("a transaction");
    let locked = "SELECT id FROM delivery ORDER BY due_at, id LIMIT 1 FOR UPDATE";
    sqlx::query(locked).execute(&mut *holder).await.expect("locked");
    let claimed_now = timeout(SOON, claimed(&app, lane, 9)).await.expect("it does not wait");
    assert_eq!(claimed_now, 1);
    holder.rollback().await.expect("it ends");
    assert_eq!(claimed(&app, lane, 9).await, 1);
}
