//! Signed messages: each becomes one event for every endpoint that is registered, and no copy of it another one.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use api::accept::{AcceptError, Ingested, NewEvent, NewMessage};
use domain::{
    id::{EndpointId, EventId, UserId},
    message::Message,
};
use entity::{message, message_sender, message_total};
use platform::database::Pool;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json, value::RawValue};
use testkit::{
    Receiver, TestApp,
    http::MESSAGE_RECEIVED,
    ingest::{message, signature},
    on_both_shapes,
};

use crate::publishing::another_process;

const SECRET: &str = "mysecretkey";

/// Sends a message as its sender would; gives the status.
pub async fn send(app: &TestApp, body: &Value) -> u16 {
    let body = body.to_string();
    let request = app.http.post(format!("{}/webhook", app.base));
    let request = request.header("x-signature", signature(SECRET, body.as_bytes())).body(body);
    request.send().await.expect("an answer").status().as_u16()
}

async fn register(app: &TestApp, user: i64, url: &str, more: Value) -> EndpointId {
    let mut body = json!({"event_type_id": MESSAGE_RECEIVED, "user_id": user, "url": url});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    app.register_with(body).await
}

fn new(id: &str, from: &str, text: &str) -> NewMessage {
    let mut body = message(id);
    (body["from"], body["text"]) = (from.into(), text.into());
    NewMessage { message: Message::parse(body.to_string().as_bytes()).expect("valid"), request_id: None }
}

async fn messages(app: &TestApp) -> Vec<message::Model> {
    message::Entity::find().all(app.context.database.reader()).await.expect("messages")
}

/// The counts that are kept are those of the messages that are there.
async fn assert_counted(app: &TestApp) {
    let reader = app.context.database.reader();
    let mut by_sender = BTreeMap::<String, i64>::new();
    for message in messages(app).await {
        *by_sender.entry(message.sender).or_default() += 1;
    }
    let kept = message_sender::Entity::find().all(reader).await.expect("senders");
    let kept: BTreeMap<_, _> = kept.into_iter().map(|row| (row.sender, row.messages)).collect();
    assert_eq!(kept, by_sender);
    let totals = message_total::Entity::find().all(reader).await.expect("totals");
    assert_eq!(totals.len(), 16);
    assert_eq!(totals.iter().map(|row| row.messages).sum::<i64>(), by_sender.values().sum::<i64>());
    assert_eq!(
        totals.iter().map(|row| row.senders).sum::<i64>(),
        i64::try_from(by_sender.len()).expect("few")
    );
}

/// The documented SQL for deleting messages manually, for this app's database.
fn recount(app: &TestApp) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/maintenance.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let block =
        text.split("```sql\nBEGIN;").nth(1).and_then(|rest| rest.split("```").next()).expect("the block");
    let (_, statements) = block.split_once('\n').expect("a line for the comment");
    match app.context.database.pool() {
        Pool::Postgres(_) => format!("BEGIN;\n{statements}"),
        Pool::Sqlite(_) => {
            format!("BEGIN IMMEDIATE;\n{}", statements.split_once('\n').expect("the lock's line").1)
        }
    }
}

on_both_shapes! {
    async fn a_message_reaches_every_endpoint_that_is_registered_and_its_copies_reach_none(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        register(&app, 1, &receiver.url("/one"), json!({})).await;
        register(&app, 2, &receiver.url("/two"), json!({"custom_payload": {"tenant": "blue"}})).await;
        app.register(&receiver.url("/uploads")).await;
        let sent = message("m1");
        assert_eq!(send(&app, &sent).await, 200);
        assert_eq!(app.counts().await, (2, 0), "durable before the answer");
        app.drain().await;
        let mut other = sent.clone();
        other["text"] = "Other".into();
        assert_eq!((send(&app, &sent).await, send(&app, &other).await), (200, 200));
        app.drain().await;
        let mut calls = receiver.calls();
        calls.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(calls.iter().map(|call| call.path.as_str()).collect::<Vec<_>>(), ["/one", "/two"]);
        let stored = messages(&app).await;
        for call in &calls {
            let response: Value = serde_json::from_slice(&call.body).expect("JSON");
            assert_eq!((&response["type"], &response["data"]), (&json!("message.received"), &sent));
            assert_eq!(call.headers["webhook-id"], stored[0].event_id.to_string());
        }
        let laid: Value = serde_json::from_slice(&calls[1].body).expect("JSON");
        assert_eq!(laid["tenant"], "blue");
        assert_eq!((stored.len(), app.events().await.len()), (1, 1));
        assert_eq!(app.events().await[0].user_id, None);
    }

    async fn a_message_is_kept_without_registered_endpoints(app: TestApp) {
        assert_eq!(send(&app, &message("m1")).await, 200);
        assert_eq!((messages(&app).await.len(), app.events().await.len(), app.counts().await), (1, 1, (0, 0)));
        assert_counted(&app).await;
    }

    async fn a_refused_or_unsigned_message_leaves_nothing(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        register(&app, 1, &receiver.url("/"), json!({})).await;
        assert_eq!(send(&app, &json!({"message_id": "m1"})).await, 422);
        let unsigned = app.http.post(format!("{}/webhook", app.base)).body(message("m1").to_string());
        assert_eq!(unsigned.send().await.expect("an answer").status(), 401);
        assert_eq!((messages(&app).await.len(), app.events().await.len(), app.counts().await), (0, 0, (0, 0)));
        assert_counted(&app).await;
    }

    async fn a_hundred_copies_in_two_processes_are_one_message_each(app: TestApp) {
        let app = Arc::new(app);
        let receiver = Receiver::start(0).await.expect("a receiver");
        register(&app, 1, &receiver.url("/"), json!({})).await;
        let accepts = [app.accept.clone(), another_process(&app)];
        let copies = (0..100).map(|n| {
            let accept = accepts[n % 2].clone();
            // Ids and senders in different orders, so that a lack of order among rows would show as a deadlock.
            let mut ids = [("a", "+3"), ("b", "+2"), ("c", "+1")];
            if n % 2 == 1 {
                ids.reverse();
            }
            let text = format!("copy {n}");
            tokio::spawn(async move {
                let accepts = ids.map(|(id, from)| accept.message(new(id, from, &text)));
                futures_util::future::join_all(accepts).await
            })
        });
        let mut created = 0;
        for task in copies.collect::<Vec<_>>() {
            for ingested in task.await.expect("no panic") {
                created += usize::from(ingested.expect("accepted") == Ingested::Created);
            }
        }
        assert_eq!(created, 3);
        app.drain().await;
        assert_eq!((messages(&app).await.len(), app.events().await.len(), receiver.calls().len()), (3, 3, 3));
        let shown: Vec<Option<String>> = messages(&app).await.into_iter().map(|row| row.text).collect();
        for call in receiver.calls() {
            let response: Value = serde_json::from_slice(&call.body).expect("JSON");
            let text = response["data"]["text"].as_str().map(str::to_owned);
            assert!(shown.contains(&text), "the delivered text is the stored one: {response}");
        }
        assert_counted(&app).await;
    }

    async fn many_messages_in_two_processes_are_all_counted(app: TestApp) {
        let app = Arc::new(app);
        let accepts = [app.accept.clone(), another_process(&app)];
        let tasks = (0..20).map(|task| {
            let accept = accepts[task % 2].clone();
            tokio::spawn(async move {
                let messages = (0..50).map(|n| {
                    let (id, from) = (format!("{task}-{n}"), format!("+{}", (task * 7 + n * 3) % 11 + 1));
                    let accept = accept.clone();
                    async move { accept.message(new(&id, &from, "x")).await }
                });
                futures_util::future::join_all(messages).await
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            assert!(task.await.expect("no panic").into_iter().all(|one| one == Ok(Ingested::Created)));
        }
        assert_eq!(messages(&app).await.len(), 1_000);
        assert_counted(&app).await;
    }

    async fn one_bad_row_never_fails_another_message(app: TestApp) {
        let (first, _) = app.publish(json!({})).await.expect("accepted");
        let again = NewEvent {
            id: first,
            user_id: Some(UserId(1)),
            event_type: "upload file".into(),
            data: RawValue::from_string("{}".into()).expect("JSON"),
            request_id: None,
        };
        // Copies among them: the one of two that is tried first after the split is the first.
        let good = (0..50).map(|n| app.accept.message(new(&(n % 40).to_string(), "+1", "x")));
        let (bad, good) = tokio::join!(app.accept.event(again), futures_util::future::join_all(good));
        assert_eq!(bad, Err(AcceptError::Refused), "its id is taken");
        let created = good.iter().filter(|one| **one == Ok(Ingested::Created)).count();
        let duplicates = good.iter().filter(|one| **one == Ok(Ingested::Duplicate)).count();
        assert_eq!((created, duplicates), (40, 10));
        assert_eq!((messages(&app).await.len(), app.events().await.len()), (40, 41));
        assert_counted(&app).await;
    }

    async fn the_counts_are_right_after_a_manual_deletion(app: TestApp) {
        for (id, from) in [("1", "+919876543210"), ("2", "+919876543210"), ("3", "+1")] {
            app.accept.message(new(id, from, "x")).await.expect("accepted");
        }
        app.context.database.writer().execute_unprepared(&recount(&app)).await.expect("recounted");
        assert_eq!(messages(&app).await.len(), 1);
        assert_counted(&app).await;
        assert_eq!(app.accept.message(new("1", "+919876543210", "x")).await, Ok(Ingested::Created));
        assert_counted(&app).await;
    }

    async fn an_event_tells_of_its_message(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        register(&app, 1, &receiver.url("/"), json!({})).await;
        assert_eq!(send(&app, &message("m1")).await, 200);
        let event = EventId(messages(&app).await[0].event_id);
        let (status, response) = app.get_json(&format!("/v1/events/{event}")).await;
        assert_eq!((status, &response["type"], &response["data"]), (200, &json!("message.received"), &message("m1")));
        assert_eq!(response["deliveries"].as_array().map(Vec::len), Some(1), "{response}");
    }
}
