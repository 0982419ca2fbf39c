//! Corrupt rows, missing files and a full disk: each is reported or survived, never skipped indefinitely.

use std::time::Duration;

use domain::{
    clock::Millis,
    delivery::{
        DeliveryState::{Dead, Succeeded},
        RETRY_AFTER_CAP,
    },
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{Receiver, Shape, TestApp, on_both_shapes};
use uuid::Uuid;
use worker::claim::{Scan, scan};

async fn execute(app: &TestApp, sql: &str) {
    app.context.database.writer().execute_unprepared(sql).await.expect(sql);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_accepts_and_is_over_when_there_is_room_again() {
    let app = TestApp::start(Shape::Embedded).await;
    let receiver = Receiver::start(0).await.expect("a receiver");
    app.register(&receiver.url("/")).await;
    execute(&app, "PRAGMA max_page_count = 1").await;
    let long = json!({"text": "x".repeat(200_000)});
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(app.publish(long.clone()).await.is_err());
    }
    assert!(refused > 0, "the disk was full");
    // The writer is another connection by now, with the limit of SQLite itself.
    let (event, _) = app.publish(json!({"n": 1})).await.expect("accepted again");
    app.drain().await;
    assert_eq!(app.delivery_of(event).await.state, Succeeded);
}

on_both_shapes! {
    async fn a_delivery_whose_event_is_missing_becomes_a_dead_letter(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        execute(&app, "DELETE FROM event").await;
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.reason.as_deref()), (Dead, Some("unreadable")));
        assert_eq!(receiver.count(), 0);
    }

    async fn a_delivery_whose_endpoint_is_missing_becomes_a_dead_letter(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        execute(&app, "DELETE FROM endpoint_event_type").await;
        execute(&app, "DELETE FROM endpoint").await;
        execute(&app, "DELETE FROM lane").await;
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.reason.as_deref()), (Dead, Some("unreadable")));
    }

    async fn an_undecryptable_secret_is_retried_without_dead_letters(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        let spoilt = match app.context.database.pool() {
            platform::database::Pool::Postgres(_) => "UPDATE endpoint SET sealed_secret = '\\x01'",
            platform::database::Pool::Sqlite(_) => "UPDATE endpoint SET sealed_secret = x'01'",
        };
        execute(&app, spoilt).await;
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.attempts, receiver.count()), (1, 0));
        assert!(delivery.due_at.is_some(), "not buried");
        let attempt = &app.attempts_of(delivery.id).await[0];
        assert_eq!(attempt.error_class.as_deref(), Some("internal"));
    }

    async fn an_upload_whose_file_is_lost_is_reported_after_ten_tries(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        app.upload(endpoint, "a.txt", "hello").await;
        app.context.storage.delete(&app.uploads().await[0].storage_key).await.expect("deleted");
        for _ in 0..10 {
            assert_eq!(receiver.count(), 0);
            app.drain().await;
            app.clock.forward(Duration::from_secs(301));
        }
        app.drain().await;
        let body = receiver.calls()[0].json().expect("JSON");
        assert_eq!(body["data"]["status"], "failed");
        assert!(body["data"]["reason"].as_str().is_some_and(|reason| reason.contains("can't be processed")));
        assert_eq!(app.uploads().await[0].state, "failed");
    }

    async fn lanes_with_nothing_due_are_passed_by_a_scan(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        for n in 0..300 {
            app.register(&receiver.url(&format!("/{n}"))).await;
        }
        app.publish(json!({})).await.expect("accepted");
        let later = Millis(app.clock.now().0) + RETRY_AFTER_CAP;
        execute(&app, &format!("UPDATE delivery SET due_at = {}", later.0)).await;
        let first = scan(&app.context, Uuid::nil()).await.expect("a scan");
        let stopped_at = first.stopped_at.expect("there are more lanes than one scan passes");
        let second = scan(&app.context, stopped_at).await.expect("a scan");
        assert_eq!((first.lanes, second), (vec![], Scan::default()));
    }
}
