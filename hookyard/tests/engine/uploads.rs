//! The uploads API from end to end: a file is uploaded, its event is delivered.

use domain::signature::{DEFAULT_TOLERANCE, SignedMessage};
use serde_json::{Value, json};
use testkit::{Answer, Call, Receiver, TestApp, app::publish::UPLOAD_FILE, on_both_shapes};

/// A PNG of one pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1F, 0x15, 0xC4, 0x89, 0, 0, 0, 0x0D, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63,
    0x00, 0x01, 0, 0, 0x05, 0, 0x01, 0x0D, 0x0A, 0x2D, 0xB4, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42,
    0x60, 0x82,
];

fn header<'c>(call: &'c Call, name: &str) -> &'c str {
    call.headers.get(name).and_then(|value| value.to_str().ok()).expect(name)
}

async fn secret_of(app: &TestApp, endpoint: impl std::fmt::Display) -> String {
    let answer =
        app.http.get(format!("{}/v1/endpoints/{endpoint}/secret", app.base)).send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    answer["secret"].as_str().expect("a secret").to_owned()
}

on_both_shapes! {
    async fn an_uploaded_file_becomes_a_signed_event_exactly_as_promised(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register_with(json!({
            "event_type_id": UPLOAD_FILE, "user_id": 7, "url": receiver.url("/hook"),
            "custom_headers": {"Authorization": "Bearer yourtokenhere"},
            "custom_payload": {"key1": "value1", "type": "mine"},
        })).await;
        assert_eq!(app.upload(endpoint, "../../picture.png", PIXEL).await, 200);
        app.drain().await;

        let calls = receiver.calls();
        assert_eq!(calls.len(), 1, "one upload is one call");
        let call = &calls[0];
        assert_eq!((call.path.as_str(), header(call, "content-type")), ("/hook", "application/json"));
        assert_eq!(header(call, "authorization"), "Bearer yourtokenhere");

        let body = call.json().expect("JSON");
        let upload = &app.uploads().await[0];
        let data = &body["data"];
        assert_eq!((&body["type"], &body["key1"]), (&json!("mine"), &json!("value1")), "the owner's value wins");
        assert_eq!(data["upload_id"], json!(upload.id.to_string()));
        assert_eq!(data["webhook_id"], json!(endpoint.to_string()));
        assert_eq!((&data["user_id"], &data["status"], &data["reason"]), (&json!(7), &json!("processed"), &Value::Null));
        assert_eq!((&data["file_name"], &data["size_bytes"]), (&json!("picture.png"), &json!(PIXEL.len())));
        assert_eq!(data["media_type"], json!("image/png"));
        assert_eq!(data["facts"], json!({"kind": "image", "width": 1, "height": 1}));

        let secret = secret_of(&app, endpoint).await.parse().expect("a secret");
        let message = SignedMessage {
            id: header(call, "webhook-id"),
            timestamp: header(call, "webhook-timestamp"),
            signature: header(call, "webhook-signature"),
            body: &call.body,
        };
        assert_eq!(message.verify(&secret, app.clock.now().seconds(), DEFAULT_TOLERANCE), Ok(()));
        assert_eq!(header(call, "webhook-id"), upload.event_id.expect("an event").to_string());

        let file = app.http.get(data["download_url"].as_str().expect("a link")).send().await.expect("an answer");
        assert_eq!(file.status(), 200);
        assert_eq!(file.headers()["x-content-type-options"], "nosniff");
        assert_eq!(file.bytes().await.expect("the file"), PIXEL);
    }

    async fn a_broken_file_is_reported_and_logged(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        assert_eq!(app.upload(endpoint, "broken.png", &PIXEL[..20]).await, 200);
        app.drain().await;

        let body = receiver.calls()[0].json().expect("JSON");
        assert_eq!(body["data"]["status"], "failed");
        assert!(body["data"]["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
        assert_eq!(body["data"]["media_type"], "image/png", "what could be found out is there");
        let errors = app.errors().await;
        assert_eq!((errors.len(), errors[0].kind.as_str()), (1, "upload"));
    }

    async fn an_upload_goes_to_its_own_webhook_alone(app: TestApp) {
        let (mine, other) = (Receiver::start(0).await.expect("one"), Receiver::start(0).await.expect("two"));
        let endpoint = app.register(&mine.url("/")).await;
        app.register(&other.url("/")).await;
        app.upload(endpoint, "a.txt", "hello\n").await;
        app.drain().await;
        assert_eq!((mine.count(), other.count()), (1, 0));
    }

    async fn an_empty_file_and_a_csv_are_recognised(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        app.upload(endpoint, "empty.bin", "").await;
        app.drain().await;
        app.upload(endpoint, "table.csv", "a,b,c\n1,2,3\n").await;
        app.drain().await;
        let facts: Vec<Value> = receiver.calls().iter().map(|call| call.json().expect("JSON")["data"]["facts"].clone()).collect();
        assert_eq!(facts, [json!({"kind": "other"}), json!({"kind": "csv", "lines": 2, "columns": 3})]);
    }

    async fn a_webhook_that_never_answers_well_leaves_its_uploads_in_the_dead_letters(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        receiver.answer_always(Answer::Status(500));
        let endpoint = app.register(&receiver.url("/")).await;
        app.upload(endpoint, "a.txt", "hello\n").await;
        // Each wait and its jitter, no more: after five days of failing the endpoint would be disabled.
        for wait in [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] {
            app.drain().await;
            app.clock.forward(std::time::Duration::from_secs(wait + wait / 5 + 1));
        }
        app.drain().await;
        let event = app.events().await[0].id.into();
        let delivery = app.delivery_of(event).await;
        assert_eq!(delivery.state, domain::delivery::DeliveryState::Dead);
        assert_eq!(delivery.reason.as_deref(), Some("schedule_spent"));
        assert_eq!((delivery.attempts, receiver.count()), (10, 10), "ten attempts, as the default schedule says");
    }

    async fn a_file_that_no_row_knows_is_removed_and_others_stay(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        app.upload(endpoint, "a.txt", "hello\n").await;
        let orphan = format!("uploads/{}", domain::id::UploadId::new());
        let mut file = app.context.storage.create(&orphan).await.expect("a file");
        file.write("lost".into()).await.expect("written");
        file.finish().await.expect("durable");
        let minute = std::time::Duration::from_secs(60);
        let now = std::time::SystemTime::now();
        let sweep = async |written| worker::maintenance::sweep(&app.context, written).await.expect("a sweep");
        assert_eq!(sweep(now - 2 * minute..now - minute).await, 0, "too young");
        assert_eq!(sweep(now - minute..now + minute).await, 1);
        assert!(app.context.storage.open_file(&orphan).await.is_err());
        app.drain().await;
        assert_eq!(receiver.count(), 1, "the other file is there");
    }
}
