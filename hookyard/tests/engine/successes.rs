//! Records of successes, which take a shorter way where their lanes are well; and what does not wait for the disk leaves
//! nothing behind that should.

use std::time::Duration;

use domain::{
    clock::Millis,
    delivery::{DeliveryState::Succeeded, LaneSend, NextStep, Verdict},
    id::{AttemptId, EndpointId, EventId},
};
use entity::delivery::record::{AttemptRow, RecipientUpdate, SendResultRow};
use platform::database::Pool;
use serde_json::json;
use testkit::{TestApp, on_both_shapes};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::record::Recorder;

use crate::lanes::{literal, number, run};

async fn accepted(app: &TestApp) -> (EndpointId, EventId, Uuid) {
    let lane = app.register("http://127.0.0.1:9/").await;
    let (event, _) = app.publish(json!({})).await.expect("accepted");
    (lane, event, app.delivery_of(event).await.id.0)
}

/// A success that started at this moment of the database's clock.
async fn success(app: &TestApp, id: Uuid) -> SendResultRow {
    let delivery = app.claim(&[id]).await.remove(0);
    let started_at = Millis(delivery.claimed_at);
    let attempt = AttemptRow {
        id: AttemptId::new(),
        number: delivery.attempt_number(),
        started_at,
        duration: Duration::from_millis(3),
        resolve: None,
        connect: Some(Duration::from_millis(1)),
        first_byte: Some(Duration::from_millis(2)),
        status_code: Some(204),
        error_class: None,
        error: None,
        request_headers: "{}".to_owned(),
        response_headers: None,
        response_body: vec![],
    };
    let lane = Some(LaneSend { started_at, verdict: Verdict::Succeeded });
    SendResultRow {
        delivery: delivery.row,
        attempt: Some(attempt),
        next: NextStep::Succeed,
        spends_position: true,
        lane,
        recipient: RecipientUpdate::default(),
    }
}

async fn record(app: &TestApp, ended: SendResultRow) {
    record_all(app, vec![ended]).await;
}

/// All of them in one batch.
async fn record_all(app: &TestApp, all: Vec<SendResultRow>) {
    let (recorder, records) = Recorder::new(&app.context);
    for ended in all {
        recorder.record(ended).await;
    }
    drop(recorder);
    records.run(CancellationToken::new()).await;
}

async fn of_lane(app: &TestApp, column: &str) -> i64 {
    number(app, &format!("SELECT CAST({column} AS bigint) FROM lane WHERE channel = 'webhook'")).await
}

on_both_shapes! {
    async fn a_success_that_is_recorded_twice_is_one_move_and_one_attempt(app: TestApp) {
        let (_, event, id) = accepted(&app).await;
        let success = success(&app, id).await;
        record(&app, success.clone()).await;
        record(&app, success).await;
        assert_eq!(app.delivery_of(event).await.state, Succeeded);
        let attempts = app.attempts_of(id.into()).await;
        assert_eq!((attempts.len(), attempts[0].status_code), (1, Some(204)));
        assert_eq!(app.counts().await, (0, 1));
    }

    async fn a_success_after_another_claim_leaves_its_attempt_and_moves_nothing(app: TestApp) {
        let (_, event, id) = accepted(&app).await;
        let late = success(&app, id).await;
        app.clock.forward(Duration::from_secs(16));
        let heir = success(&app, id).await;
        record(&app, late).await;
        assert_eq!(app.counts().await, (1, 0), "its heir has it");
        record(&app, heir).await;
        assert_eq!(app.delivery_of(event).await.claim, 2);
        assert_eq!(app.attempts_of(id.into()).await.len(), 2);
    }

    async fn a_lane_that_is_well_remembers_its_newest_success(app: TestApp) {
        let (_, _, id) = accepted(&app).await;
        let success = success(&app, id).await;
        let started_at = success.lane.expect("it says something").started_at.0;
        record(&app, success).await;
        assert_eq!(of_lane(&app, "succeeded_at").await, started_at);
    }

    async fn a_success_ends_a_run_of_failures_and_closes_the_breaker(app: TestApp) {
        let (_, event, id) = accepted(&app).await;
        let success = success(&app, id).await;
        run(&app, "UPDATE lane SET failures = 12, failing_since = 1, breaker_until = {now} - 1, breaker_wait = 30000").await;
        record(&app, success).await;
        assert_eq!((of_lane(&app, "failures").await, of_lane(&app, "breaker_until").await), (0, 0));
        assert_eq!(app.delivery_of(event).await.state, Succeeded);
        assert_eq!(app.attempts_of(id.into()).await.len(), 1);
    }

    async fn in_a_batch_one_lane_that_is_not_well_holds_up_no_other(app: TestApp) {
        let (sick, _, first) = accepted(&app).await;
        app.register("http://127.0.0.1:9/well").await;
        let (both, _) = app.publish(json!({})).await.expect("accepted");
        let mut all = vec![success(&app, first).await];
        for delivery in app.deliveries_of(both).await {
            all.push(success(&app, delivery.id.0).await);
        }
        let sick = literal(&app, sick.0);
        run(&app, &format!("UPDATE lane SET failures = 3, failing_since = 1 WHERE id = {sick}")).await;
        record_all(&app, all).await;
        assert_eq!(app.counts().await, (0, 3));
        assert_eq!(number(&app, "SELECT CAST(count(*) AS bigint) FROM finished_delivery WHERE started_at IS NOT NULL").await, 3);
        assert_eq!(number(&app, "SELECT CAST(sum(failures) AS bigint) FROM lane").await, 0);
    }

    async fn after_a_claim_every_commit_waits_for_the_disk_again(app: TestApp) {
        let (_, _, id) = accepted(&app).await;
        // One that is broken off as soon as it waits, and one that ends.
        let _ = timeout(Duration::ZERO, app.claim(&[id])).await;
        app.claim(&[id]).await;
        match app.context.database.pool() {
            Pool::Sqlite(pool) => {
                let level: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(pool).await.expect("a level");
                assert_eq!(level, 2, "FULL");
            }
            Pool::Postgres(pool) => {
                let mut held = vec![];
                for _ in 0..pool.size() {
                    let mut connection = pool.acquire().await.expect("a connection");
                    let set: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut *connection).await.expect("set");
                    assert_eq!(set, "on");
                    held.push(connection);
                }
            }
        }
    }
}
