//! The backlog of a resumed lane drains at a bounded rate, beside new deliveries.

use std::time::Duration;

use domain::id::LaneId;
use testkit::{TestApp, on_both_shapes};
use worker::{
    claim::{self, DRAIN_A_SECOND, Gate, LANES_A_SCAN, Wanted},
    endpoints::EndpointCache,
    lanes::Holder,
};

use crate::lanes::{deliveries, literal, number, run, set_lane};

/// What a claim grants: of what drains, and of what is new.
async fn claim(app: &TestApp) -> (i64, i64) {
    app.claim_due(1_000).await;
    let leased = "SELECT count(*) FROM delivery d JOIN lane l ON l.id = d.lane_id WHERE d.lease_until > {now} AND d.due_at";
    let (old, new) = (format!("{leased} <= l.drain_before"), format!("{leased} > l.drain_before"));
    let counts = (number(app, &old).await, number(app, &new).await);
    run(app, "DELETE FROM delivery WHERE lease_until > {now}").await;
    counts
}

on_both_shapes! {
    async fn as_many_lanes_as_a_scan_finds_may_drain_at_once(app: TestApp) {
        let mut wanted = vec![];
        for _ in 0..LANES_A_SCAN {
            let lane = app.register("http://127.0.0.1:9/").await;
            deliveries(&app, lane, 1, Duration::from_secs(600)).await;
            deliveries(&app, lane, 1, Duration::ZERO).await;
            wanted.push(Wanted { holder: Holder::of_lane(LaneId(lane.0)), rows: 2, gate: Gate::Limited });
        }
        run(&app, &format!("UPDATE lane SET drain_before = {} - 1000", app.clock.now().0)).await;
        let endpoints = EndpointCache::new(&app.context);
        let claims = claim::claim(&app.context, &endpoints, &wanted).await.expect("claimed");
        assert_eq!(claims.claimed.len(), 2 * wanted.len(), "what waited and what is new, of each");
    }

    async fn what_waited_drains_at_its_pace_and_what_is_new_is_not_held_up(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        deliveries(&app, lane, 1_000, Duration::from_secs(600)).await;
        deliveries(&app, lane, 30, Duration::ZERO).await;
        set_lane(&app, lane, "drain_before = {now} - 1000").await;
        let (started, first) = (app.clock.now(), claim(&app).await);
        assert_eq!(first.1, 30, "what is new goes at once");
        assert!((1..=7).contains(&first.0), "a tenth of a second's worth: {}", first.0);
        let mut drained = first.0;
        for _ in 0..20 {
            app.clock.forward(Duration::from_millis(100));
            drained += claim(&app).await.0;
        }
        let passed = app.clock.now().since(started).as_secs_f64();
        let rate = f64::from(DRAIN_A_SECOND);
        let (least, most) = (rate * 2.0 - 1.0, rate * passed + rate / 10.0 + 2.0);
        assert!((least..=most).contains(&(drained as f64)), "{drained} in {passed} s");
    }

    async fn its_own_rate_takes_the_place_of_the_drains_and_both_kinds_get_of_it(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        deliveries(&app, lane, 500, Duration::from_secs(600)).await;
        deliveries(&app, lane, 500, Duration::ZERO).await;
        set_lane(&app, lane, "rate_limit = 100, drain_before = {now} - 1000").await;
        let (mut old, mut new) = (0, 0);
        for _ in 0..10 {
            let counts = claim(&app).await;
            (old, new) = (old + counts.0, new + counts.1);
            app.clock.forward(Duration::from_millis(100));
        }
        assert!(old >= 30 && new >= 30, "neither is starved: {old} and {new}");
    }

    async fn a_drain_is_over_when_nothing_is_left_of_it(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        deliveries(&app, lane, 3, Duration::from_secs(600)).await;
        deliveries(&app, lane, 1, Duration::ZERO).await;
        set_lane(&app, lane, "drain_before = {now} - 1000").await;
        let drains = format!("SELECT drain_before FROM lane WHERE id = {}", literal(&app, lane.0));
        assert_eq!(claim(&app).await, (3, 1));
        assert!(number(&app, &drains).await > 0, "its last rows were just granted");
        deliveries(&app, lane, 100, Duration::ZERO).await;
        assert_eq!(claim(&app).await.1, 64);
        assert_eq!(number(&app, &drains).await, 0);
    }
}
