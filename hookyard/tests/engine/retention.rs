//! Finished deliveries are deleted after the retention; dead letters are kept longer, with their bodies.

use std::time::Duration;

use domain::delivery::DeliveryState::{Pending, Succeeded};
use entity::dead_letter;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::json;
use testkit::{Answer, Receiver, TestApp, on_both_shapes};
use tokio_util::sync::CancellationToken;
use worker::retention::{Forgotten, sweep};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn receiver(app: &TestApp, status: u16) -> Receiver {
    let receiver = Receiver::start(0).await.expect("a receiver");
    receiver.answer_always(Answer::Status(status));
    app.register(&receiver.url("/")).await;
    receiver
}

async fn forget(app: &TestApp) -> Forgotten {
    sweep(&app.context, &CancellationToken::new()).await.expect("a sweep")
}

async fn dead_letters(app: &TestApp) -> Vec<dead_letter::Model> {
    dead_letter::Entity::find().all(app.context.database.reader()).await.expect("dead letters")
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let db = app.context.database.reader();
    let sql = format!("SELECT count(*) AS n FROM {table}");
    let row = db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await;
    row.expect("a count").expect("a row").try_get("", "n").expect("a number")
}

on_both_shapes! {
    async fn what_has_arrived_is_kept_for_thirty_days_and_then_forgotten(app: TestApp) {
        let _receiver = receiver(&app, 200).await;
        let (event, _) = app.publish(json!({"n": 1})).await.expect("accepted");
        app.drain().await;
        app.clock.forward(29 * DAY);
        assert_eq!(forget(&app).await, Forgotten::default(), "29 days are not too long");
        assert_eq!(app.delivery_of(event).await.state, Succeeded);
        // A day on Postgres goes when its last moment is thirty days ago.
        app.clock.forward(2 * DAY);
        assert_ne!(forget(&app).await, Forgotten::default());
        assert_eq!(app.counts().await, (0, 0));
        for table in ["event", "attempt"] {
            assert_eq!(count(&app, table).await, 0, "{table}");
        }
        assert_eq!(forget(&app).await, Forgotten::default(), "nothing is left to forget");
    }

    async fn a_dead_letter_outlives_its_day_with_what_was_to_be_sent_and_goes_after_ninety(app: TestApp) {
        let gone = receiver(&app, 410).await;
        let (event, _) = app.publish(json!({"kept": true})).await.expect("accepted");
        app.drain().await;
        app.clock.forward(32 * DAY);
        assert_eq!(forget(&app).await.moved, 1);
        assert_eq!(app.counts().await, (0, 0));
        assert_eq!(count(&app, "error_log").await, 0);
        let letters = dead_letters(&app).await;
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].event_id, event.0);
        assert_eq!(letters[0].event_type, "upload file");
        assert_eq!(letters[0].reason.as_deref(), Some("gone"));
        assert_eq!(letters[0].status_code, Some(410));
        assert_eq!(letters[0].attempts, 1);
        assert_eq!(letters[0].body.as_deref(), Some(&gone.calls()[0].body[..]), "byte for byte");
        app.clock.forward(57 * DAY);
        assert_eq!(forget(&app).await.dead_letters, 0, "89 days are not too long");
        app.clock.forward(2 * DAY);
        assert_eq!(forget(&app).await.dead_letters, 1);
        assert!(dead_letters(&app).await.is_empty());
    }

    async fn what_is_under_way_keeps_its_event_however_old_it_is(app: TestApp) {
        let slow = receiver(&app, 500).await;
        let (event, _) = app.publish(json!({"late": true})).await.expect("accepted");
        app.drain().await;
        app.clock.forward(200 * DAY);
        forget(&app).await;
        assert_eq!(app.delivery_of(event).await.state, Pending);
        slow.answer_always(Answer::Status(200));
        app.drain().await;
        let calls = slow.calls();
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0].body, calls[1].body);
        assert_eq!(app.delivery_of(event).await.state, Succeeded);
        forget(&app).await;
        assert_eq!(count(&app, "event").await, 0, "now it is finished");
    }

    async fn sweeps_at_the_same_time_move_each_dead_letter_once(app: TestApp) {
        let _gone = receiver(&app, 410).await;
        for n in 0..450 {
            app.publish(json!({"n": n})).await.expect("accepted");
        }
        app.drain().await;
        let dead = app.counts().await.1;
        app.clock.forward(32 * DAY);
        let sweeps = futures_util::future::join_all((0..4).map(|_| forget(&app))).await;
        forget(&app).await;
        assert_eq!(sweeps.iter().map(|sweep| sweep.moved).sum::<u64>(), dead);
        assert_eq!(dead_letters(&app).await.len() as u64, dead);
        // What was held when the endpoint was disabled is still there.
        assert_eq!(app.counts().await, (450 - dead, 0));
    }

    async fn pages_of_old_rows_are_forgotten_to_the_last(app: TestApp) {
        let db = app.context.database.writer();
        let postgres = db.get_database_backend() == sea_orm::DatabaseBackend::Postgres;
        for n in 0..1_201_u32 {
            // Ids of 1970: outside of every day on Postgres.
            let id = format!("0000000000007000800000000000{n:04x}");
            let id = if postgres { format!("'{id}'") } else { format!("x'{id}'") };
            let body = if postgres { "''" } else { "x''" };
            let sql = format!("INSERT INTO event (id, event_type, body, created_at) VALUES ({id}, 'old', {body}, 0)");
            db.execute_unprepared(&sql).await.expect("inserted");
        }
        assert_eq!(forget(&app).await.rows, 1_201);
        assert_eq!(count(&app, "event").await, 0);
    }
}
