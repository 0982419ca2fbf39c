//! What one answer says of a delivery is of one moment, also when an attempt is recorded between its two statements.

use std::time::Duration;

use platform::database::Pool;
use serde_json::json;
use sqlx::{Executor, PgConnection, PgPool};
use testkit::{Shape, TestApp, wait};

const PATIENCE: Duration = Duration::from_secs(20);

const RECORDED: &str = "INSERT INTO attempt (id, delivery_id, number, claim, started_at, duration_us, status_code, request_headers)
        SELECT gen_random_uuid(), id, 1, 1, created_at, 1000, 200, '{}' FROM delivery;
    INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, state, position, attempts,
            claim, created_at, finished_at)
        SELECT id, event_id, user_id, lane_id, channel, recipient_id, body, 'succeeded', position, 1, 1, created_at, created_at
        FROM delivery;
    DELETE FROM delivery;
    COMMIT";

/// Until the answer stands between its two statements: it has read the delivery and waits for its attempts.
async fn until_it_waits(pool: &PgPool) {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'attempt'::regclass";
    let waits = async || {
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(pool).await.expect("a count");
        (waiting > 0).then_some(())
    };
    wait::until("the answer waits for the attempts", PATIENCE, waits).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_never_shows_an_attempt_that_its_delivery_does_not_know_of() {
    let app = TestApp::start(Shape::Cluster).await;
    app.register("http://127.0.0.1:9/").await;
    let (event, _) = app.publish(json!({})).await.expect("accepted");
    let id = app.delivery_of(event).await.id;
    let Pool::Postgres(pool) = app.context.database.pool() else { unreachable!("the cluster's") };
    let mut recording = pool.acquire().await.expect("a connection").detach();
    recording.execute("BEGIN; LOCK TABLE attempt IN ACCESS EXCLUSIVE MODE").await.expect("locked");
    let path = format!("/v1/deliveries/{id}");
    let record = async |recording: &mut PgConnection| {
        until_it_waits(pool).await;
        recording.execute(RECORDED).await.expect("recorded");
    };
    let ((status, response), ()) = tokio::join!(app.get_json(&path), record(&mut recording));
    assert_eq!((status, response["attempts"][0]["status_code"].as_i64()), (200, Some(200)), "{response}");
    assert_eq!(response["state"], "succeeded", "{response}");
}
