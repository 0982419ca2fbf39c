//! Limits hold across workers: sends under way, sends a second, one probe of a half-open breaker.

use std::time::Duration;

use testkit::{TestApp, on_both_shapes};
use uuid::Uuid;
use worker::{
    claim::{Claimed, claim},
    dispatch::{self, Look},
};

use crate::lanes::{deliveries, number, set_lane, under_way};

async fn look(app: &TestApp) -> Look {
    dispatch::deliveries(&app.context, Uuid::nil(), 1_000).await.expect("a look")
}

/// Ten dispatchers look at once; what they found is claimed by as many workers at once.
async fn all_at_once(app: &TestApp) -> Vec<Claimed> {
    let looks = futures_util::future::join_all((0..10).map(|_| look(app))).await;
    let ids: Vec<Vec<Uuid>> =
        looks.iter().map(|look| look.found.iter().map(|found| found.id).collect()).collect();
    let claims = ids.iter().map(|ids| claim(&app.context, ids));
    let claimed = futures_util::future::join_all(claims).await;
    claimed.into_iter().flat_map(|claimed| claimed.expect("a claim")).collect()
}

on_both_shapes! {
    async fn no_more_is_under_way_than_the_limit_however_many_look_and_claim(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        set_lane(&app, lane, "max_in_flight = 7").await;
        deliveries(&app, lane, 300, Duration::from_secs(1)).await;
        let mut held = all_at_once(&app).await;
        assert_eq!(held.len(), 7);
        assert_eq!(all_at_once(&app).await.len(), 0);
        let ended: Vec<_> = held.drain(..3).map(|claimed| (claimed.id(), claimed.claim)).collect();
        worker::claim::release(&app.context, &ended).await.expect("given back");
        assert_eq!(all_at_once(&app).await.len(), 3, "as many as have ended");
        assert_eq!(under_way(&app, lane).await, 7);
    }

    async fn a_rate_holds_however_many_look_and_claim(app: TestApp) {
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
        let first = look(&app).await;
        assert_eq!((first.found.len(), first.again.len()), (1, 1));
        assert!(first.again[0].1 <= Duration::from_secs(1));
    }

    async fn a_stale_hint_of_a_limited_lane_claims_nothing(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        set_lane(&app, lane, "max_in_flight = 2").await;
        deliveries(&app, lane, 5, Duration::from_secs(1)).await;
        let stale: Vec<Uuid> = look(&app).await.found.iter().map(|found| found.id).collect();
        assert_eq!(stale.len(), 2);
        app.clock.forward(Duration::from_secs(16));
        assert_eq!(claim(&app.context, &stale).await.expect("a claim").len(), 0);
        assert_eq!(look(&app).await.found.len(), 0, "a claim that began in time may still run");
        app.clock.forward(Duration::from_secs(5));
        assert_eq!(all_at_once(&app).await.len(), 2);
    }

    async fn what_was_never_granted_is_not_claimed_and_what_was_is(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        deliveries(&app, lane, 1, Duration::from_secs(1)).await;
        set_lane(&app, lane, "max_in_flight = 1").await;
        use sea_orm::EntityTrait;
        let rows = entity::delivery::Entity::find().all(app.context.database.reader()).await.expect("rows");
        let ids = [rows[0].id];
        assert_eq!(claim(&app.context, &ids).await.expect("a claim").len(), 0);
        assert_eq!(look(&app).await.found.len(), 1);
        assert_eq!(claim(&app.context, &ids).await.expect("a claim").len(), 1);
    }

    async fn an_open_breaker_lets_nothing_through_and_a_half_open_one_a_single_probe(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        deliveries(&app, lane, 100, Duration::from_secs(60)).await;
        let hinted: Vec<Uuid> = look(&app).await.found.iter().map(|found| found.id).collect();
        set_lane(&app, lane, "breaker_until = {now} + 30000").await;
        assert_eq!(claim(&app.context, &hinted).await.expect("a claim").len(), 0, "open: hinted or not");
        assert_eq!(all_at_once(&app).await.len(), 0);
        app.clock.forward(Duration::from_secs(31));
        assert_eq!(claim(&app.context, &hinted).await.expect("a claim").len(), 0, "half open: nobody granted these");
        assert_eq!(all_at_once(&app).await.len(), 1);
        assert_eq!(all_at_once(&app).await.len(), 0, "while the probe is under way");
        set_lane(&app, lane, "breaker_until = 0").await;
        assert_eq!(all_at_once(&app).await.len(), 99, "closed");
    }

    async fn what_another_look_has_locked_is_passed_over(app: TestApp) {
        let lane = app.register("http://127.0.0.1:9/").await;
        set_lane(&app, lane, "max_in_flight = 50").await;
        deliveries(&app, lane, 100, Duration::from_secs(1)).await;
        let looks = futures_util::future::join_all((0..8).map(|_| look(&app))).await;
        let found: usize = looks.iter().map(|look| look.found.len()).sum();
        assert_eq!(found, 50);
        assert_eq!(number(&app, "SELECT count(*) FROM delivery WHERE hinted_until > {now}").await, 50);
    }
}
