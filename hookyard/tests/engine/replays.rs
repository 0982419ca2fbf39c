//! Replays: the set is fixed, and each page is made once, whenever a worker stops.

mod set;

use std::{collections::HashSet, time::Duration};

use domain::{
    clock::Millis,
    delivery::{DeadReason, DeliveryState::Succeeded, NextStep},
    id::{DeliveryId, EndpointId, EventId, ReplayId, UserId},
};
use entity::{delivery, finished_delivery, scope::Scope};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryOrder};
use serde_json::{Value, json};
use testkit::{Receiver, TestApp, on_both_shapes};
use worker::replays::step;

use crate::manual_moves::{ended, record};

async fn ask(app: &TestApp, body: Value) -> (u16, Value) {
    let url = format!("{}/v1/replays", app.base);
    let answer = app.http.post(url).json(&body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// Starts a replay and gives its id.
async fn start(app: &TestApp, body: Value) -> ReplayId {
    let (status, response) = ask(app, body).await;
    assert_eq!(
        (status, &response["state"], &response["done"]),
        (202, &json!("running"), &json!(0)),
        "{response}"
    );
    response["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}

async fn total(app: &TestApp, body: Value) -> i64 {
    let (status, response) = ask(app, body).await;
    assert_eq!((status, response.as_object().map(serde_json::Map::len)), (200, Some(1)), "{response}");
    response["total"].as_i64().expect("a number")
}

async fn turn(app: &TestApp, id: ReplayId, verb: &str) -> (u16, Value) {
    let answer =
        app.http.post(format!("{}/v1/replays/{id}/{verb}", app.base)).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn shown(app: &TestApp, id: ReplayId) -> Value {
    let answer = app.http.get(format!("{}/v1/replays/{id}", app.base)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.json().await.expect("JSON")
}

/// State, total, done and skipped.
async fn progress(app: &TestApp, id: ReplayId) -> (String, i64, i64, i64) {
    let response = shown(app, id).await;
    let number = |name: &str| response[name].as_i64().expect("a number");
    let state = response["state"].as_str().expect("a word").to_owned();
    (state, number("total"), number("done"), number("skipped"))
}

async fn execute(app: &TestApp, sql: &str) {
    app.context.database.writer().execute_unprepared(sql).await.expect(sql);
}

/// Works as a worker does until nothing may go on, with time passing.
async fn work_off(app: &TestApp) {
    for _ in 0..100 {
        while step(&app.context).await.expect("a step") {}
        app.clock.forward(Duration::from_secs(1));
    }
}

/// One event, and so many deliveries of it that died.
async fn dead_letters(app: &TestApp, endpoint: EndpointId, count: usize) -> EventId {
    let (event, _) = app.publish(json!({"n": 1})).await.expect("accepted");
    execute(app, "DELETE FROM delivery").await;
    let now = app.context.database.now(&app.clock).await.expect("the time");
    let rows: Vec<_> = (0..count).map(|_| letter(event, endpoint, now)).collect();
    for rows in rows.chunks(1_000) {
        let insert = finished_delivery::Entity::insert_many(rows.to_vec());
        insert.exec_without_returning(app.context.database.writer()).await.expect("rows");
    }
    event
}

fn letter(event: EventId, endpoint: EndpointId, now: Millis) -> finished_delivery::ActiveModel {
    finished_delivery::ActiveModel {
        id: Set(DeliveryId::new().0),
        event_id: Set(event.0),
        user_id: Set(Some(1)),
        lane_id: Set(endpoint.0),
        channel: Set("webhook".to_owned()),
        recipient_id: Set(endpoint.0),
        body: Set(None),
        state: Set("dead".to_owned()),
        reason: Set(Some("rejected".to_owned())),
        position: Set(0),
        attempts: Set(1),
        claim: Set(1),
        created_at: Set(now.0),
        finished_at: Set(now.0),
        ..Default::default()
    }
}

async fn under_way(app: &TestApp) -> Vec<delivery::Model> {
    let all = delivery::Entity::find().order_by_asc(delivery::Column::DueAt);
    all.all(app.context.database.reader()).await.expect("rows")
}

async fn hooked(app: &TestApp) -> (Receiver, EndpointId) {
    let receiver = Receiver::start(0).await.expect("a receiver");
    let endpoint = app.register(&receiver.url("/")).await;
    (receiver, endpoint)
}

on_both_shapes! {
    async fn a_replay_delivers_the_same_events_again_byte_for_byte(app: TestApp) {
        let (receiver, endpoint) = hooked(&app).await;
        let mut events = vec![];
        for n in 0..3 {
            events.push(app.publish(json!({"n": n})).await.expect("accepted").0);
        }
        app.drain().await;
        let filter = json!({"endpoint_id": endpoint, "state": "succeeded", "type": "upload file", "user_id": 1});
        assert_eq!(total(&app, json!({"filter": filter, "dry_run": true})).await, 3);
        let id = start(&app, json!({"filter": filter})).await;
        work_off(&app).await;
        app.drain().await;
        assert_eq!(progress(&app, id).await, ("done".into(), 3, 3, 0));
        assert!(shown(&app, id).await["finished_at"].is_string());
        let calls = receiver.calls();
        assert_eq!(calls.len(), 6);
        for event in events {
            let of_it: Vec<_> = calls.iter().filter(|call| call.webhook_id() == Some(event.to_string().as_str())).collect();
            assert_eq!((of_it.len(), &of_it[0].body), (2, &of_it[1].body), "one webhook-id, one body");
            let deliveries = app.deliveries_of(event).await;
            assert!(deliveries.len() == 2 && deliveries.iter().all(|delivery| delivery.state == Succeeded));
        }
    }

    async fn a_large_replay_survives_stops_and_two_workers_make_nothing_twice(app: TestApp) {
        let (_receiver, endpoint) = hooked(&app).await;
        let event = dead_letters(&app, endpoint, 2_500).await;
        let id = start(&app, json!({"rate_per_second": 1_000})).await;
        assert!(step(&app.context).await.expect("a step"));
        assert_eq!(progress(&app, id).await, ("running".into(), 2_500, 1_000, 0), "a page, and its cursor");
        // A stop in between is a while without steps; the next worker goes on.
        app.clock.forward(Duration::from_secs(60));
        for _ in 0..12 {
            let steps = (0..4).map(|_| step(&app.context));
            for made in futures_util::future::join_all(steps).await {
                made.expect("a step");
            }
            app.clock.forward(Duration::from_secs(1));
        }
        assert_eq!(progress(&app, id).await, ("done".into(), 2_500, 2_500, 0));
        let made = under_way(&app).await;
        let ids: HashSet<_> = made.iter().map(|row| row.id).collect();
        assert_eq!((made.len(), ids.len()), (2_500, 2_500));
        assert!(made.iter().all(|row| row.event_id == event.0 && row.attempts == 0 && row.position == 0));
    }

    async fn a_replay_is_paused_resumed_and_cancelled(app: TestApp) {
        let (_receiver, endpoint) = hooked(&app).await;
        dead_letters(&app, endpoint, 10).await;
        let id = start(&app, json!({"rate_per_second": 3})).await;
        assert!(step(&app.context).await.expect("a step"));
        let (status, response) = turn(&app, id, "pause").await;
        assert_eq!((status, &response["state"], &response["done"]), (200, &json!("paused"), &json!(3)));
        app.clock.forward(Duration::from_secs(60));
        assert!(!step(&app.context).await.expect("a step"));
        assert_eq!(turn(&app, id, "pause").await.0, 200, "it is paused already");
        assert_eq!(turn(&app, id, "resume").await.1["state"], "running");
        assert_eq!(turn(&app, id, "resume").await.0, 200);
        assert!(step(&app.context).await.expect("a step"));
        assert_eq!(progress(&app, id).await, ("running".into(), 10, 6, 0));
        let (status, response) = turn(&app, id, "cancel").await;
        assert_eq!((status, &response["state"]), (200, &json!("cancelled")));
        assert!(response["finished_at"].is_string());
        work_off(&app).await;
        assert_eq!(progress(&app, id).await, ("cancelled".into(), 10, 6, 0));
        assert_eq!(under_way(&app).await.len(), 6, "what was made is delivered");
        assert_eq!(turn(&app, id, "cancel").await.0, 200);
        for verb in ["pause", "resume"] {
            let (status, response) = turn(&app, id, verb).await;
            assert_eq!((status, &response["code"]), (409, &json!("conflict")), "{verb}");
        }
        assert_eq!(turn(&app, ReplayId::new(), "pause").await.0, 404);
    }

    async fn a_rate_holds_whichever_worker_makes_the_pages(app: TestApp) {
        let (_receiver, endpoint) = hooked(&app).await;
        dead_letters(&app, endpoint, 40).await;
        start(&app, json!({"rate_per_second": 10})).await;
        for _ in 0..20 {
            let steps = (0..3).map(|_| step(&app.context));
            for made in futures_util::future::join_all(steps).await {
                made.expect("a step");
            }
            app.clock.forward(Duration::from_millis(300));
        }
        let due: Vec<i64> = under_way(&app).await.iter().map(|row| row.due_at).collect();
        assert_eq!(due.len(), 40);
        assert!(due.windows(11).all(|second| second[10] - second[0] >= 1_000), "never more than ten a second: {due:?}");
    }

    async fn no_more_than_ten_replays_of_a_user_are_under_way(app: TestApp) {
        let (_receiver, endpoint) = hooked(&app).await;
        dead_letters(&app, endpoint, 1).await;
        let mut ids = vec![];
        for _ in 0..10 {
            ids.push(start(&app, json!({"filter": {"user_id": 1}})).await);
        }
        let (status, response) = ask(&app, json!({"filter": {"user_id": 1}})).await;
        assert_eq!((status, &response["code"]), (409, &json!("conflict")), "{response}");
        start(&app, json!({})).await;
        assert_eq!(turn(&app, ids[0], "cancel").await.0, 200);
        start(&app, json!({"filter": {"user_id": 1}})).await;
        let db = &app.context.database;
        let (own, other) = (Scope::User(UserId(1)), Scope::User(UserId(2)));
        assert_eq!(entity::replay::queries::page(db, own, None, 100).await.expect("rows").len(), 11);
        assert_eq!(entity::replay::queries::page(db, other, None, 100).await.expect("rows"), []);
        assert!(entity::replay::queries::find(db, own, ids[1]).await.expect("a look").is_some());
        assert_eq!(entity::replay::queries::find(db, other, ids[1]).await.expect("a look"), None);
    }

    async fn a_real_worker_processes_a_replay(app: TestApp) {
        let (receiver, endpoint) = hooked(&app).await;
        dead_letters(&app, endpoint, 30).await;
        let worker = app.work();
        let id = start(&app, json!({"rate_per_second": 1_000})).await;
        assert_eq!(receiver.wait_for(30, Duration::from_secs(30)).await.len(), 30);
        worker.stop().await;
        assert_eq!(progress(&app, id).await, ("done".into(), 30, 30, 0));
        assert_eq!(app.counts().await, (0, 60));
    }
}
