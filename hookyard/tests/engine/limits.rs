//! Limits hold across workers: sends in flight, sends a second, one probe of a half-open breaker.

use std::time::Duration;

use domain::id::LaneId;
use entity::lease;
use testkit::{TestApp, on_both_shapes};
use worker::{
    claim::{Claimed, Gate, Wanted, claim},
    endpoints::EndpointCache,
    lanes::Holder,
};

use crate::lanes::{deliveries, in_flight, set_lane};

/// Ten workers scan and claim at once, each for as many slots as it might have.
async fn all_at_once(app: &TestApp) -> Vec<Claimed> {
    let claims = (0..10).map(|_| app.claim_due(256));
    futures_util::future::join_all(claims).await.into_iter().flatten().collect()
}

on_both_shapes! {
    async fn no_more_is_in_flight_than_the_limit_however_many_claim(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        set_lane(&app, lane, "max_in_flight = 7").await;
        deliveries(&app, lane, 300, Duration::from_secs(1)).await;
        let mut held = all_at_once(&app).await;
        assert_eq!(held.len(), 7);
        assert_eq!(all_at_once(&app).await.len(), 0);
        let ended: Vec<_> = held.drain(..3).map(|claimed| (claimed.id().0, claimed.claim)).collect();
        lease::release(&app.context.database, lease::Table::Deliveries, &ended).await.expect("released");
        assert_eq!(all_at_once(&app).await.len(), 3, "as many as have ended");
        assert_eq!(in_flight(&app, lane).await, 7);
    }

    async fn a_rate_holds_however_many_claim(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        set_lane(&app, lane, "rate_limit = 20").await;
        deliveries(&app, lane, 3_000, Duration::from_secs(1)).await;
        let (started, mut claimed) = (app.clock.now(), all_at_once(&app).await.len());
        for _ in 0..30 {
            app.clock.forward(Duration::from_millis(100));
            claimed += all_at_once(&app).await.len();
        }
        let passed = app.clock.now().since(started).as_secs_f64();
        let (least, most) = (20.0 * 3.0 - 1.0, 20.0 * passed + 2.0 + 2.0);
        assert!((least..=most).contains(&(claimed as f64)), "{claimed} in {passed} s");
    }

    async fn a_lane_that_ran_out_of_its_rate_says_when_it_has_more(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        set_lane(&app, lane, "rate_limit = 1").await;
        deliveries(&app, lane, 2, Duration::from_secs(1)).await;
        let wanted = [Wanted { holder: Holder::of_lane(LaneId(lane.0)), rows: 9, gate: Gate::Limited }];
        let claims = claim(&app.context, &EndpointCache::new(&app.context), &wanted).await.expect("a claim");
        assert_eq!((claims.claimed.len(), claims.again.len()), (1, 1));
        assert!(claims.again[0].1 <= Duration::from_secs(1));
    }

    async fn a_limited_lane_that_is_taken_for_an_open_one_gives_nothing(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        deliveries(&app, lane, 1, Duration::from_secs(1)).await;
        set_lane(&app, lane, "max_in_flight = 1").await;
        let wanted = [Wanted { holder: Holder::of_lane(LaneId(lane.0)), rows: 9, gate: Gate::Open }];
        let claims = claim(&app.context, &EndpointCache::new(&app.context), &wanted).await.expect("a claim");
        assert_eq!(claims.claimed.len(), 0, "its limit was set after the scan");
        assert_eq!(all_at_once(&app).await.len(), 1);
    }

    async fn a_limited_lane_gives_no_more_than_is_wanted(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        deliveries(&app, lane, 9, Duration::from_secs(1)).await;
        set_lane(&app, lane, "max_in_flight = 5").await;
        assert_eq!(app.claim_due(3).await.len(), 3);
        assert_eq!(app.claim_due(3).await.len(), 2);
    }

    async fn an_open_breaker_lets_nothing_through_and_a_half_open_one_a_single_probe(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        deliveries(&app, lane, 100, Duration::from_secs(60)).await;
        set_lane(&app, lane, "breaker_until = {now} + 30000").await;
        assert_eq!(all_at_once(&app).await.len(), 0, "open");
        app.clock.forward(Duration::from_secs(31));
        assert_eq!(all_at_once(&app).await.len(), 1, "half open");
        assert_eq!(all_at_once(&app).await.len(), 0, "while the probe is in flight");
        set_lane(&app, lane, "breaker_until = 0").await;
        assert_eq!(all_at_once(&app).await.len(), 99, "closed");
    }
}
