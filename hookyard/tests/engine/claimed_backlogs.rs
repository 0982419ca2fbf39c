//! What is due of lanes with a backlog is claimed without hints, by the worker that sends it.

use std::{collections::HashSet, time::Duration};

use domain::id::EndpointId;
use testkit::{TestApp, on_both_shapes, wait};
use worker::claim::{Backlogs, Wanted, claim_due};

use crate::{
    at_work::AtWork,
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
    Wanted { lane: lane.0, rows }
}

/// How many are claimed of this lane.
async fn claimed(app: &TestApp, lane: EndpointId, rows: usize, window: usize) -> usize {
    claim_due(&app.context, &[wanted(lane, rows)], window).await.expect("a claim").len()
}

async fn has_backlog(app: &TestApp, lane: EndpointId) -> bool {
    let lane = literal(app, lane.0);
    number(app, &format!("SELECT count(*) FROM lane WHERE id = {lane} AND backlog_until > {{now}}")).await
        == 1
}

on_both_shapes! {
    async fn the_oldest_of_each_lane_are_claimed_as_many_as_are_wanted(app: TestApp) {
        let (first, second) = (lane(&app, 5).await, lane(&app, 2).await);
        deliveries(&app, first, 3, Duration::from_secs(9)).await;
        let both = [wanted(first, 4), wanted(second, 4)];
        let claimed = claim_due(&app.context, &both, 64).await.expect("a claim");
        let of = |lane: EndpointId| claimed.iter().filter(|one| one.lane_id().0 == lane.0).count();
        assert_eq!((of(first), of(second), claimed.len()), (4, 2, 6));
        let old = "SELECT count(*) FROM delivery WHERE due_at <= {now} - 9000 AND lease_until > {now} AND claim = 1 AND hinted_until = 0";
        assert_eq!((number(&app, old).await, app.leased().await), (3, 6));
        assert!(claimed.iter().all(|one| one.claim == 1 && one.url.is_some() && one.has_body && !one.body.is_empty()));
    }

    async fn only_a_lane_that_gives_all_that_is_wanted_has_a_backlog(app: TestApp) {
        let (all, less) = (lane(&app, 3).await, lane(&app, 2).await);
        let both = [wanted(all, 3), wanted(less, 3)];
        assert_eq!(claim_due(&app.context, &both, 64).await.expect("a claim").len(), 5);
        assert_eq!((has_backlog(&app, all).await, has_backlog(&app, less).await), (true, false));
    }

    async fn no_further_than_the_window_whatever_is_under_way_in_it(app: TestApp) {
        let lane = lane(&app, 10).await;
        assert_eq!(claimed(&app, lane, 3, 4).await, 3);
        assert_eq!(claimed(&app, lane, 3, 4).await, 1, "three of the four are under way");
        assert_eq!(claimed(&app, lane, 3, 4).await, 0);
        assert_eq!(claimed(&app, lane, 30, 64).await, 6);
    }

    async fn what_is_hinted_or_not_due_or_may_not_be_sent_stays(app: TestApp) {
        let lane = lane(&app, 2).await;
        for change in ["hinted_until = {now} + 60000", "lease_until = {now} + 60000", "due_at = {now} + 60000"] {
            run(&app, &format!("UPDATE delivery SET {change}")).await;
            assert_eq!(claimed(&app, lane, 9, 64).await, 0, "{change}");
            run(&app, "UPDATE delivery SET hinted_until = 0, lease_until = 0, due_at = {now}").await;
        }
        for change in [
            "state = 'paused'", "blocked_until = {now} + 60000", "breaker_until = {now} - 1",
            "rate_limit = 1", "max_in_flight = 9", "drain_before = {now}",
        ] {
            set_lane(&app, lane, change).await;
            assert_eq!(claimed(&app, lane, 9, 64).await, 0, "{change}");
            let well = "state = 'active', blocked_until = 0, breaker_until = 0, rate_limit = NULL, max_in_flight = NULL, drain_before = 0";
            set_lane(&app, lane, well).await;
        }
        assert_eq!(claimed(&app, lane, 9, 64).await, 2);
    }

    async fn claims_at_the_same_moment_get_each_delivery_once(app: TestApp) {
        let lane = lane(&app, 60).await;
        let wanted = [wanted(lane, 10)];
        let claims = futures_util::future::join_all((0..8).map(|_| claim_due(&app.context, &wanted, 128))).await;
        let ids: Vec<_> = claims.into_iter().flat_map(|claimed| claimed.expect("a claim")).map(|one| one.id()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        let rest = claimed(&app, lane, 60, 128).await;
        assert_eq!((ids.len() + rest, app.leased().await), (60, 60));
    }

    async fn a_worker_claims_a_backlog_to_its_end_and_no_more_at_a_time_than_its_share(app: TestApp) {
        let lane = lane(&app, 40).await;
        let backlogs = Backlogs::default();
        let work = AtWork::with(&app, 8, backlogs.clone(), std::mem::forget);
        backlogs.add(&[lane.0], 64);
        wait::until("two of eight slots", SOON, async || (app.leased().await == 2).then_some(())).await;
        work.stop().await;
        assert_eq!((app.leased().await, backlogs.lanes()), (2, vec![lane.0]), "there is more of it");
        let work = AtWork::with(&app, 8, backlogs.clone(), drop);
        wait::until("the end of the backlog", SOON, async || backlogs.lanes().is_empty().then_some(())).await;
        work.stop().await;
        let once = "SELECT count(*) FROM delivery WHERE claim = 1 AND lease_until > {now} AND hinted_until = 0";
        assert_eq!(number(&app, once).await, 40);
    }
}
