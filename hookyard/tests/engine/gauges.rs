//! The gauges of what the database knows: whose delay counts as ours, and what they share with the dashboard and the API.

use std::time::Duration;

use domain::id::DeliveryId;
use entity::delivery::{gauges::counts, queries, totals::totals};
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{Answer, Receiver, TestApp, on_both_shapes};
use tokio_util::sync::CancellationToken;
use worker::{maintenance::oldest_due, retention::sweep};

/// Longer than finished deliveries are kept.
const LONG: Duration = Duration::from_secs(32 * 24 * 3_600);

/// The dead letters as the gauge and the overview count them, and as the API lists them.
async fn dead_letters(app: &TestApp) -> (i64, u64, usize) {
    let (database, now) = (&app.context.database, app.clock.now());
    let gauge = counts(database, now).await.expect("counted").dead_letters;
    let tile = totals(database, now).await.expect("counted").dead_letters.count;
    let (status, listed) = app.get_json("/v1/deliveries?state=dead").await;
    assert_eq!(status, 200, "{listed}");
    (gauge, tile, listed["data"].as_array().expect("a list").len())
}

on_both_shapes! {
    async fn gauge_overview_and_api_know_the_same_dead_letters_before_and_after_they_moved(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        receiver.answer_always(Answer::Status(410));
        app.register(&receiver.url("/")).await;
        let (event, _) = app.publish(json!({"n": 1})).await.expect("accepted");
        app.drain().await;
        let DeliveryId(id) = app.delivery_of(event).await.id;
        assert_eq!(dead_letters(&app).await, (1, 1, 1));
        app.clock.forward(LONG);
        let swept = sweep(&app.context, &CancellationToken::new()).await.expect("swept");
        assert_eq!(swept.moved, 1);
        assert_eq!(dead_letters(&app).await, (1, 1, 1));
        let time = app.context.database.statement_time(&app.clock);
        let row = queries::load(&app.context.database, time, DeliveryId(id)).await.expect("read");
        let row = row.expect("it is kept");
        assert_eq!((row.state.as_deref(), row.reason.as_deref()), (Some("dead"), Some("gone")));
        let latest = queries::latest(&app.context.database, time, 5).await.expect("read");
        assert_eq!(latest.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
        let body = queries::body(&app.context.database, DeliveryId(id), event).await.expect("read");
        assert_eq!(body.as_deref(), Some(&receiver.calls()[0].body[..]), "byte for byte");
    }

    async fn delays_caused_by_a_lane_do_not_count(app: TestApp) {
        assert_eq!(oldest_due(&app.context).await.expect("asked"), None);
        app.register("http://127.0.0.1:9/").await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        let due_at = app.delivery_of(event).await.due_at;
        assert!(due_at.is_some());
        let db = app.context.database.writer();
        let later = app.clock.now().0 + 60_000;
        for held_up_by in [
            "state = 'paused'".to_owned(),
            "breaker_until = 1".to_owned(),
            "drain_before = 1".to_owned(),
            "rate_limit = 1".to_owned(),
            "max_in_flight = 1".to_owned(),
            format!("blocked_until = {later}"),
        ] {
            assert_eq!(oldest_due(&app.context).await.expect("asked"), due_at);
            db.execute_unprepared(&format!("UPDATE lane SET {held_up_by}")).await.expect("changed");
            assert_eq!(oldest_due(&app.context).await.expect("asked"), None, "{held_up_by}");
            let well = "UPDATE lane SET state = 'active', breaker_until = 0, drain_before = 0, rate_limit = NULL,
                max_in_flight = NULL, blocked_until = 0";
            db.execute_unprepared(well).await.expect("changed");
        }
    }
}
