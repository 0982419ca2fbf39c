//! Publishing: once for each key, to whom it names, when it says, and byte for byte.

use std::{sync::Arc, time::Duration};

use api::accept::{Accept, Key, Publication, Published};
use domain::{
    delivery::DeliveryState::{Pending, Succeeded},
    event::IdempotencyKey,
    id::EventId,
};
use platform::supervisor::Supervisor;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json, value::RawValue};
use testkit::{Receiver, TestApp, app::publish::USER, on_both_shapes};
use tokio_util::sync::CancellationToken;
use worker::maintenance::forget_batch;

const TYPE: &str = "invoice.paid";
const HOUR: Duration = Duration::from_secs(3_600);

/// An endpoint that is registered for [`TYPE`], with what else its registration says.
async fn register(app: &TestApp, event_type: &str, url: &str, more: &Value) -> String {
    let mut body = json!({"event_type_id": event_type, "user_id": USER.0, "url": url});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    app.register_with(body).await.to_string()
}

pub fn publication(key: &str, data: &str) -> Publication {
    Publication {
        user_id: USER,
        event_type: TYPE.to_owned(),
        data: RawValue::from_string(data.to_owned()).expect("JSON"),
        key: Some(Key { key: IdempotencyKey::parse(key).expect("a key"), body_hash: [7; 32] }),
        deliver_at: None,
        endpoint_ids: None,
        request_id: None,
    }
}

/// Another process' accepter on the same database.
pub fn another_process(app: &TestApp) -> Accept {
    let (accept, services) = Accept::new(&app.context);
    tokio::spawn(Supervisor::run(services, CancellationToken::new(), Duration::from_secs(5)));
    accept
}

fn id_of(answer: &Value) -> EventId {
    answer["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id: {answer}"))
}

async fn set_lane(
    app: &TestApp,
    endpoint: &str,
    column: entity::lane::Column,
    value: impl Into<sea_orm::Value>,
) {
    let id: uuid::Uuid = endpoint.parse().expect("an id");
    let update = entity::lane::Entity::update_many().col_expr(column, Expr::value(value));
    let update = update.filter(entity::lane::Column::Id.eq(id));
    update.exec(app.context.database.writer()).await.expect("an update");
}

on_both_shapes! {
    async fn what_is_published_arrives_byte_for_byte_with_its_overlay(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let event_type = app.event_type(TYPE).await.to_string();
        register(&app, &event_type, &receiver.url("/plain"), &json!({})).await;
        let payload = json!({"custom_payload": {"tenant": "blue", "type": "mine"}});
        register(&app, &event_type, &receiver.url("/laid"), &payload).await;
        let data = r#"{ "big": 12345678901234567890.10,  "dup": 1, "dup": 2, "z": "\u00e9" }"#;
        let body = format!(r#"{{"user_id":1,"type":"{TYPE}","data":{data}}}"#);
        let (status, answer) = app.post_json("/v1/events", body).await;
        assert_eq!((status, &answer["deliveries"]), (202, &json!(2)), "{answer}");
        app.drain().await;
        let body_at = |path: &str| {
            let call = receiver.calls().into_iter().find(|call| call.path == path).expect("a call");
            assert_eq!(call.headers["webhook-id"], id_of(&answer).to_string());
            String::from_utf8(call.body.to_vec()).expect("text")
        };
        let plain = body_at("/plain");
        assert!(plain.starts_with(r#"{"type":"invoice.paid","timestamp":""#), "{plain}");
        assert!(plain.ends_with(&format!(r#""data":{data}}}"#)), "{plain}");
        let laid = body_at("/laid");
        assert!(laid.starts_with(r#"{"type":"mine","timestamp":""#), "{laid}");
        assert!(laid.ends_with(&format!(r#""data":{data},"tenant":"blue"}}"#)), "{laid}");
    }

    async fn an_event_tells_what_became_of_its_deliveries_and_who_got_none(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let event_type = app.event_type(TYPE).await.to_string();
        let gets = register(&app, &event_type, &receiver.url("/"), &json!({})).await;
        let held = register(&app, &event_type, &receiver.url("/held"), &json!({})).await;
        let other = app.register(&receiver.url("/other")).await.to_string();
        set_lane(&app, &held, entity::lane::Column::State, "paused").await;
        let (_, answer) = app.post_json("/v1/events", json!({"user_id": 1, "type": TYPE, "data": [1]})).await;
        app.drain().await;
        let (status, response) = app.get_json(&format!("/v1/events/{}", id_of(&answer))).await;
        assert_eq!((status, &response["data"], &response["user_id"]), (200, &json!([1]), &json!(1)), "{response}");
        let mut stands: Vec<_> = response["deliveries"].as_array().expect("a list").iter()
            .map(|one| (one["endpoint_id"].clone(), one["state"].clone(), one["attempts"].clone())).collect();
        stands.sort_by_key(|(id, ..)| id.to_string());
        let mut expected = vec![
            (json!(gets), json!("succeeded"), json!(1)),
            (json!(held), json!("held"), json!(0)),
        ];
        expected.sort_by_key(|(id, ..)| id.to_string());
        assert_eq!(stands, expected, "{response}");
        assert_eq!(response["unmatched"].as_array().map(Vec::len), Some(1), "{response}");
        assert_eq!(response["unmatched"][0]["endpoint_id"], json!(other));
        assert_eq!(response["unmatched"][0]["reason"], "not_registered");
    }

    async fn what_is_for_later_waits_for_its_time(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let event_type = app.event_type(TYPE).await.to_string();
        register(&app, &event_type, &receiver.url("/"), &json!({})).await;
        let at = (app.clock.now() + HOUR).rfc3339();
        let body = json!({"user_id": 1, "type": TYPE, "data": {}, "deliver_at": at});
        let (status, answer) = app.post_json("/v1/events", body).await;
        assert_eq!(status, 202, "{answer}");
        app.clock.forward(HOUR - Duration::from_secs(60));
        app.drain().await;
        assert_eq!((receiver.calls().len(), app.delivery_of(id_of(&answer)).await.state), (0, Pending));
        app.clock.forward(Duration::from_secs(60));
        app.drain().await;
        assert_eq!((receiver.calls().len(), app.delivery_of(id_of(&answer)).await.state), (1, Succeeded));
    }

    async fn only_the_named_endpoints_get_it(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let event_type = app.event_type(TYPE).await.to_string();
        register(&app, &event_type, &receiver.url("/registered"), &json!({})).await;
        let named = app.register(&receiver.url("/named")).await;
        let body = json!({"user_id": 1, "type": TYPE, "data": {}, "endpoint_ids": [named]});
        assert_eq!(app.post_json("/v1/events", &body).await.1["deliveries"], 1);
        let (status, response) = app.post_json("/v1/events", json!({"user_id": 2, "type": TYPE, "data": {}, "endpoint_ids": [named]})).await;
        assert_eq!((status, &response["errors"][0]["field"]), (422, &json!("endpoint_ids[0]")), "not that user's");
        app.drain().await;
        assert_eq!(receiver.calls().into_iter().map(|call| call.path).collect::<Vec<_>>(), ["/named"]);
        set_lane(&app, &named.to_string(), entity::lane::Column::State, "deleted").await;
        assert_eq!(app.post_json("/v1/events", &body).await.0, 422);
    }

    async fn an_unknown_type_is_refused_and_an_unregistered_one_is_stored(app: TestApp) {
        app.event_type(TYPE).await;
        let (status, response) = app.post_json("/v1/events", json!({"user_id": 1, "type": TYPE, "data": {}})).await;
        assert_eq!((status, &response["deliveries"]), (202, &json!(0)));
        let (status, response) = app.post_json("/v1/events", json!({"user_id": 1, "type": "unknown", "data": {}})).await;
        assert_eq!((status, &response["errors"][0]["field"]), (422, &json!("type")));
        assert_eq!(app.events().await.len(), 1);
    }

    async fn a_hundred_copies_in_two_processes_are_one_event(app: TestApp) {
        let app = Arc::new(app);
        let receiver = Receiver::start(0).await.expect("a receiver");
        let event_type = app.event_type(TYPE).await.to_string();
        register(&app, &event_type, &receiver.url("/"), &json!({})).await;
        let accepts = [app.accept.clone(), another_process(&app)];
        let copies = (0..100).map(|n| {
            let accept = accepts[n % 2].clone();
            // Keys in different orders, so that a lack of order among rows would show as a deadlock.
            let keys = if n % 2 == 0 { ["a", "b", "c"] } else { ["c", "b", "a"] };
            tokio::spawn(async move {
                futures_util::future::join_all(keys.map(|key| accept.publish(publication(key, "{}")))).await
            })
        });
        let (mut stored, mut repeated) = (vec![], vec![]);
        for task in copies.collect::<Vec<_>>() {
            for published in task.await.expect("no panic") {
                match published.expect("accepted") {
                    Published::Stored { id, deliveries: 1 } => stored.push(id),
                    Published::Repeated { id, deliveries: 1 } => repeated.push(id),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!((stored.len(), repeated.len()), (3, 297));
        assert!(repeated.iter().all(|id| stored.contains(id)), "each repeat is response the first id");
        app.drain().await;
        assert_eq!((app.events().await.len(), receiver.calls().len()), (3, 3));
    }

    async fn a_key_is_kept_for_a_day_and_then_free(app: TestApp) {
        app.event_type(TYPE).await;
        let publish = async || app.accept.publish(publication("k", "{}")).await.expect("accepted");
        let Published::Stored { id: first, .. } = publish().await else { panic!("not stored") };
        app.clock.forward(24 * HOUR - Duration::from_secs(60));
        assert_eq!(publish().await, Published::Repeated { id: first, deliveries: 0 });
        assert_eq!(forget_batch(&app.context, 10).await.expect("forgotten"), 0, "still kept");
        app.clock.forward(Duration::from_secs(60));
        let Published::Stored { id: second, .. } = publish().await else { panic!("not taken over") };
        assert_ne!(first, second);
        assert_eq!(publish().await, Published::Repeated { id: second, deliveries: 0 });
        let other = Publication { key: Some(Key { body_hash: [8; 32], ..publication("k", "{}").key.expect("a key") }), ..publication("k", "1") };
        assert_eq!(app.accept.publish(other).await, Ok(Published::KeyTaken));
    }

    async fn old_keys_are_forgotten_in_small_batches(app: TestApp) {
        app.event_type(TYPE).await;
        let publish = async |key: &str| app.accept.publish(publication(key, "{}")).await.expect("accepted");
        for key in ["a", "b", "c"] {
            publish(key).await;
        }
        app.clock.forward(24 * HOUR);
        publish("young").await;
        assert_eq!(forget_batch(&app.context, 2).await.expect("forgotten"), 2);
        assert_eq!(forget_batch(&app.context, 2).await.expect("forgotten"), 1);
        assert_eq!(forget_batch(&app.context, 2).await.expect("forgotten"), 0);
        assert!(matches!(publish("young").await, Published::Repeated { .. }));
    }

    async fn a_repeat_stays_a_repeat_when_it_would_be_refused_by_now(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let named = app.register(&receiver.url("/")).await;
        app.event_type(TYPE).await;
        let publication = || Publication { endpoint_ids: Some(vec![named]), ..publication("k", "{}") };
        let Ok(Published::Stored { id, .. }) = app.accept.publish(publication()).await else { panic!("not stored") };
        set_lane(&app, &named.to_string(), entity::lane::Column::State, "deleted").await;
        assert_eq!(app.accept.publish(publication()).await, Ok(Published::Repeated { id, deliveries: 1 }));
        let fresh = Publication { key: None, ..publication() };
        assert_eq!(app.accept.publish(fresh).await, Ok(Published::NotRecipients(vec![0])));
    }

    async fn a_batch_above_the_size_of_a_transaction_is_written_in_several(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let event_type = app.event_type(TYPE).await.to_string();
        register(&app, &event_type, &receiver.url("/"), &json!({})).await;
        let data = format!("\"{}\"", "x".repeat(200_000));
        let publications = (0..120).map(|n| app.accept.publish(publication(&n.to_string(), &data)));
        for published in futures_util::future::join_all(publications).await {
            assert!(matches!(published, Ok(Published::Stored { deliveries: 1, .. })));
        }
        assert_eq!(app.counts().await, (120, 0));
    }

    async fn lanes_with_limits_or_an_open_breaker_are_left_to_the_claimer(app: TestApp) {
        use entity::lane::Column;
        let receiver = Receiver::start(0).await.expect("a receiver");
        let event_type = app.event_type(TYPE).await.to_string();
        let later = app.clock.now().0 + 60_000;
        let limits: [(Column, sea_orm::Value); 6] = [
            (Column::RateLimit, 5.into()),
            (Column::MaxInFlight, 1.into()),
            (Column::BreakerUntil, 1_i64.into()),
            (Column::BlockedUntil, later.into()),
            (Column::BacklogUntil, later.into()),
            (Column::State, "paused".into()),
        ];
        for (column, value) in limits {
            let endpoint = register(&app, &event_type, &receiver.url("/"), &json!({})).await;
            set_lane(&app, &endpoint, column, value).await;
        }
        app.context.queue.resume();
        let clear = register(&app, &event_type, &receiver.url("/"), &json!({})).await;
        let (_, answer) = app.post_json("/v1/events", json!({"user_id": 1, "type": TYPE, "data": {}})).await;
        assert_eq!(answer["deliveries"], 7, "{answer}");
        let rows = entity::delivery::Entity::find().all(app.context.database.reader()).await.expect("rows");
        let leased: Vec<String> =
            rows.iter().filter(|row| row.lease_until > 0).map(|row| row.recipient_id.to_string()).collect();
        assert_eq!(leased, [clear]);
    }

    async fn a_test_event_arrives_though_nobody_registered_for_it(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let one = app.register(&receiver.url("/one")).await;
        app.register(&receiver.url("/other")).await;
        let (status, answer) = app.post_json(&format!("/v1/endpoints/{one}/test"), "").await;
        assert_eq!((status, &answer["deliveries"]), (202, &json!(1)), "{answer}");
        app.drain().await;
        let calls = receiver.calls();
        assert_eq!((calls.len(), calls[0].path.as_str()), (1, "/one"));
        assert!(calls[0].body.starts_with(br#"{"type":"hookyard.test","timestamp":""#));
    }
}
