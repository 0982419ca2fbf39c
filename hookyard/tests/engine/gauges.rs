//! Whose delay counts as ours: the age of the oldest due delivery wakes somebody.

use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::on_both_shapes;
use worker::maintenance::oldest_due;

on_both_shapes! {
    async fn what_a_lane_holds_up_by_itself_is_nobodys_delay(app: TestApp) {
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
