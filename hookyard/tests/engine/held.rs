//! Deliveries held for a lane that is not active: their bounds, and how they end.

use std::time::Duration;

use domain::{
    delivery::{
        DeliveryState::{Cancelled, Dead, Pending, Sending},
        HeldLimits,
    },
    id::EventId,
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{TestApp, on_both_shapes};
use worker::maintenance::lanes::{bury_beyond_limits, bury_endpoint_down, cancel_deleted};

const HOUR: Duration = Duration::from_secs(3600);
const SCHEDULE: Duration = Duration::from_secs(5 + 300 + 1800 + (2 + 5 + 10 + 14 + 20 + 24) * 3600);

async fn publish(app: &TestApp, count: usize) -> Vec<EventId> {
    app.register("http://127.0.0.1:9/").await;
    let mut events = vec![];
    for n in 0..count {
        events.push(app.publish(json!({"n": n})).await.expect("accepted").0);
    }
    events
}

async fn set(app: &TestApp, columns: &str) {
    let sql = format!("UPDATE lane SET {columns}");
    app.context.database.writer().execute_unprepared(&sql).await.expect("changed");
}

fn limits(most: i64, longest: Duration) -> HeldLimits {
    HeldLimits { max_deliveries: most, max_age: longest }
}

on_both_shapes! {
    async fn of_a_lane_that_is_off_the_newest_beyond_the_limit_go(app: TestApp) {
        let events = publish(&app, 4).await;
        let three = limits(3, 24 * HOUR);
        assert_eq!(bury_beyond_limits(&app.context, three).await.expect("a look"), 0, "it is active");
        set(&app, "state = 'paused'").await;
        assert_eq!(bury_beyond_limits(&app.context, limits(4, 24 * HOUR)).await.expect("a look"), 0);
        assert_eq!(bury_beyond_limits(&app.context, three).await.expect("a look"), 1);
        for event in &events[..3] {
            assert_eq!(app.delivery_of(*event).await.state, Pending);
        }
        let newest = app.delivery_of(events[3]).await;
        assert_eq!((newest.state, newest.reason.as_deref()), (Dead, Some("held_limit")));
        let errors = app.errors().await;
        assert_eq!((errors.len(), errors[0].subject_id), (1, newest.id.0));
        assert_eq!(bury_beyond_limits(&app.context, limits(1, 24 * HOUR)).await.expect("a look"), 2);
    }

    async fn what_was_held_for_too_long_goes_counted_from_when_it_was_held(app: TestApp) {
        let events = publish(&app, 2).await;
        app.clock.forward(HOUR);
        let off_since = app.clock.now().0;
        set(&app, &format!("state = 'disabled', off_since = {off_since}")).await;
        app.clock.forward(2 * HOUR - Duration::from_secs(60));
        let two_hours = limits(100, 2 * HOUR);
        assert_eq!(bury_beyond_limits(&app.context, two_hours).await.expect("a look"), 0);
        app.clock.forward(Duration::from_secs(120));
        assert_eq!(bury_beyond_limits(&app.context, two_hours).await.expect("a look"), 2);
        let delivery = app.delivery_of(events[0]).await;
        assert_eq!((delivery.state, delivery.reason.as_deref()), (Dead, Some("held_limit")));
        assert_eq!(app.counts().await, (0, 2));
    }

    async fn a_schedule_that_passed_while_the_breaker_was_open_ends_the_delivery(app: TestApp) {
        let events = publish(&app, 1).await;
        app.clock.forward(SCHEDULE - Duration::from_secs(60));
        set(&app, "breaker_until = 1").await;
        assert_eq!(bury_endpoint_down(&app.context).await.expect("a look"), 0);
        app.clock.forward(Duration::from_secs(61));
        set(&app, "breaker_until = 0").await;
        assert_eq!(bury_endpoint_down(&app.context).await.expect("a look"), 0, "closed");
        set(&app, "breaker_until = 1, state = 'paused'").await;
        assert_eq!(bury_endpoint_down(&app.context).await.expect("a look"), 0, "the clock stands still");
        let resumed_at = app.clock.now().0;
        set(&app, &format!("state = 'active', resumed_at = {resumed_at}")).await;
        assert_eq!(bury_endpoint_down(&app.context).await.expect("a look"), 0, "it starts again");
        set(&app, "resumed_at = 0").await;
        assert_eq!(bury_endpoint_down(&app.context).await.expect("a look"), 1);
        let delivery = app.delivery_of(events[0]).await;
        assert_eq!((delivery.state, delivery.reason.as_deref()), (Dead, Some("endpoint_down")));
    }

    async fn an_endpoints_own_schedule_decides_when_it_is_down(app: TestApp) {
        publish(&app, 1).await;
        let sql = "UPDATE endpoint SET retry_schedule = '[60, 60]'";
        app.context.database.writer().execute_unprepared(sql).await.expect("changed");
        set(&app, "breaker_until = 1").await;
        app.clock.forward(Duration::from_secs(110));
        assert_eq!(bury_endpoint_down(&app.context).await.expect("a look"), 0);
        app.clock.forward(Duration::from_secs(11));
        assert_eq!(bury_endpoint_down(&app.context).await.expect("a look"), 1);
    }

    async fn what_waits_for_a_deleted_endpoint_is_cancelled_and_what_is_sent_is_not(app: TestApp) {
        let events = publish(&app, 2).await;
        let sending = app.delivery_of(events[0]).await.id.0;
        app.claim(&[sending]).await;
        set(&app, "state = 'deleted'").await;
        assert_eq!(cancel_deleted(&app.context).await.expect("a look"), 1);
        assert_eq!(app.delivery_of(events[0]).await.state, Sending);
        let waited = app.delivery_of(events[1]).await;
        assert_eq!((waited.state, waited.reason.as_deref()), (Cancelled, Some("endpoint_deleted")));
        app.clock.forward(Duration::from_secs(46));
        assert_eq!(cancel_deleted(&app.context).await.expect("a look"), 1, "its lease is over");
    }

    async fn more_than_a_batch_is_moved_once_by_many_at_once(app: TestApp) {
        app.register("http://127.0.0.1:9/").await;
        let accepts = (0..2_100).map(|n| app.publish(json!({"n": n})));
        for accepted in futures_util::future::join_all(accepts).await {
            accepted.expect("accepted");
        }
        set(&app, "state = 'deleted'").await;
        let looks = futures_util::future::join_all((0..4).map(|_| cancel_deleted(&app.context))).await;
        let cancelled: u64 = looks.into_iter().map(|look| look.expect("a look")).sum();
        let rest = cancel_deleted(&app.context).await.expect("a look");
        assert_eq!((cancelled + rest, app.counts().await), (2_100, (0, 2_100)));
    }
}
