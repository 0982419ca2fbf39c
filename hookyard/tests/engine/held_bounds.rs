//! The bound of held deliveries counts only due ones, and only of endpoints that are not active.

use std::time::Duration;

use domain::delivery::{
    DeliveryState::{Dead, Pending},
    HeldLimits,
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{TestApp, on_both_shapes};
use worker::maintenance::lanes::bury_beyond_limits;

const HOUR: Duration = Duration::from_secs(3600);

async fn execute(app: &TestApp, sql: &str) {
    app.context.database.writer().execute_unprepared(sql).await.expect("changed");
}

async fn bury_beyond(app: &TestApp, most: i64) -> u64 {
    let limits = HeldLimits { max_deliveries: most, max_age: 24 * HOUR };
    bury_beyond_limits(&app.context, limits).await.expect("a check")
}

on_both_shapes! {
    async fn deliveries_that_are_not_due_are_neither_counted_nor_buried(app: TestApp) {
        app.register("http://127.0.0.1:9/").await;
        let mut events = vec![];
        for n in 0..4 {
            events.push(app.publish(json!({"n": n})).await.expect("accepted").0);
        }
        let first_two = "SELECT id FROM delivery ORDER BY id LIMIT 2";
        execute(&app, &format!("UPDATE delivery SET due_at = due_at + 3600000 WHERE id IN ({first_two})")).await;
        execute(&app, "UPDATE lane SET state = 'paused'").await;
        assert_eq!(bury_beyond(&app, 2).await, 0, "two are due");
        assert_eq!(bury_beyond(&app, 1).await, 1, "of two that are due one goes");
        let mut states = vec![];
        for event in &events {
            states.push(app.delivery_of(*event).await.state);
        }
        assert_eq!(states, [Pending, Pending, Pending, Dead]);
        app.clock.forward(2 * HOUR);
        assert_eq!(bury_beyond(&app, 1).await, 2, "now they are due as well");
    }

    async fn an_open_breaker_buries_nothing(app: TestApp) {
        app.register("http://127.0.0.1:9/").await;
        for n in 0..3 {
            app.publish(json!({"n": n})).await.expect("accepted");
        }
        execute(&app, "UPDATE lane SET breaker_until = 1, off_since = 1").await;
        assert_eq!(bury_beyond(&app, 1).await, 0);
        app.clock.forward(48 * HOUR);
        assert_eq!(bury_beyond(&app, 1).await, 0, "nor what is held for long: the schedule ends it");
        execute(&app, "UPDATE lane SET state = 'disabled'").await;
        assert_eq!(bury_beyond(&app, 1).await, 3);
    }
}
