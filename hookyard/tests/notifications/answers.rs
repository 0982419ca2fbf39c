//! Responses to callers, and rejected requests.

use serde_json::{Value, json};
use testkit::{Shape, TestApp};

use crate::fixture_on_both_shapes;

async fn refused(app: &TestApp, body: Value) -> Vec<(Value, String)> {
    let (status, response) = app.post_json("/api/notify", body).await;
    assert_eq!(status, 422, "{response}");
    let faults = response["detail"].as_array().expect("a list");
    faults
        .iter()
        .map(|fault| (fault["loc"].clone(), fault["type"].as_str().expect("a word").to_owned()))
        .collect()
}

fn errors_of(name: &str, kind: &str) -> Vec<(Value, String)> {
    vec![(json!(["body", name]), kind.to_owned())]
}

fixture_on_both_shapes! {
    async fn every_recipient_is_counted_and_notified_once(fixture: Fixture) {
        let none = json!({"total": 0, "queued": 0});
        assert_eq!(fixture.notify(json!({"message": "m"})).await, json!({"telegram": none, "web_push": none}));
        fixture.subscriber("1").await;
        fixture.subscriber("@two").await;
        let browser = fixture.browser().await;
        let response = fixture.notify(json!({"title": "Hello", "message": "a <b> & c"})).await;
        assert_eq!(response, json!({"telegram": {"total": 2, "queued": 2}, "web_push": {"total": 1, "queued": 1}}));
        fixture.app.drain().await;
        assert_eq!(fixture.telegram.texts("1"), ["Hello\n\na <b> & c"]);
        assert_eq!(fixture.telegram.texts("@two").len(), 1);
        let pushed = fixture.response(&browser);
        assert_eq!(pushed.len(), 1);
        assert_eq!((&pushed[0]["title"], &pushed[0]["body"]), (&json!("Hello"), &json!("a <b> & c")));
        assert_eq!(pushed[0]["event_id"], json!(fixture.event().await));
        assert!(fixture.ends().await.iter().all(|(state, _)| state.as_str() == "succeeded"));
    }

    async fn one_channel_is_notified_by_its_route_or_its_name(fixture: Fixture) {
        fixture.subscriber("1").await;
        fixture.browser().await;
        let one = json!({"total": 1, "queued": 1});
        let (status, response) = fixture.app.post_json("/api/notify/telegram", json!({"message": "m", "channels": ["web_push"]})).await;
        assert_eq!((status, response), (200, json!({"success": true, "results": {"telegram": one}})), "the route says which");
        let (_, response) = fixture.app.post_json("/api/notify/web-push", json!({"message": "m"})).await;
        assert_eq!(response["results"], json!({"web_push": one}));
        let named = fixture.notify(json!({"message": "m", "channels": ["web_push", "web_push"]})).await;
        assert_eq!(named, json!({"web_push": one}), "each once");
    }

    async fn bodies_are_held_to_their_bounds(fixture: Fixture) {
        let app = &fixture.app;
        for good in [
            json!({"message": "m", "title": null, "channels": null, "unknown": 1}),
            json!({"message": "🦀".repeat(16_384), "title": "t".repeat(256)}),
            json!({"message": " ", "title": "", "channels": ["web_push"]}),
            json!({"message": " ", "title": "t"}),
        ] {
            assert_eq!(app.post_json("/api/notify", &good).await.0, 200);
        }
        assert_eq!(refused(app, json!({})).await, errors_of("message", "missing"));
        assert_eq!(refused(app, json!({"message": null})).await, errors_of("message", "missing"));
        assert_eq!(refused(app, json!({"message": 1})).await, errors_of("message", "string_type"));
        assert_eq!(refused(app, json!({"message": ""})).await, errors_of("message", "string_too_short"));
        assert_eq!(refused(app, json!({"message": "x".repeat(16_385)})).await, errors_of("message", "string_too_long"));
        for blank in [" ", "\u{200b}\n"] {
            assert_eq!(refused(app, json!({"message": blank, "title": " "})).await, errors_of("message", "value_error"), "no chat shows it");
        }
        assert_eq!(refused(app, json!({"message": "a\0"})).await, errors_of("message", "value_error"));
        assert_eq!(refused(app, json!({"message": "m", "title": "t".repeat(257)})).await, errors_of("title", "string_too_long"));
        for channels in [json!(["webhook"]), json!(["sms"]), json!([]), json!("telegram"), json!([1])] {
            assert_eq!(refused(app, json!({"message": "m", "channels": channels})).await, errors_of("channels", "value_error"));
        }
        let both = refused(app, json!({"title": 1, "channels": 2})).await;
        assert_eq!(both.len(), 3, "every fault at once: {both:?}");
        assert_eq!(refused(app, json!([])).await, [(json!(["body"]), "value_error".to_owned())]);
        let (status, response) = app.post_json("/api/notify", "{").await;
        assert_eq!((status, &response["detail"][0]["type"]), (422, &json!("json_invalid")));
        assert_eq!(app.post_json("/api/notify", format!("{{\"message\":\"{}\"}}", "x".repeat(256 * 1_024))).await.0, 413);
    }
}

#[tokio::test]
async fn what_is_not_set_is_501() {
    let app = TestApp::start(Shape::Embedded).await;
    for path in ["/api/notify", "/api/notify/telegram", "/api/notify/web-push", "/webhook/update"] {
        let (status, response) = app.post_json(path, json!({"message": "m"})).await;
        assert_eq!(status, 501, "{path}: {response}");
        assert!(response["detail"].as_str().is_some_and(|detail| detail.contains("set here")), "{response}");
    }
    let token = [("TELEGRAM_BOT_TOKEN", "1:x")];
    let app = TestApp::start_with(Shape::Embedded, &token).await;
    assert_eq!(app.post_json("/api/notify/web-push", json!({"message": "m"})).await.0, 501);
    assert_eq!(app.post_json("/api/notify", json!({"message": "m", "channels": ["web_push"]})).await.0, 501);
    let (status, response) = app.post_json("/api/notify", json!({"message": "m"})).await;
    assert_eq!(
        (status, &response["results"]),
        (200, &json!({"telegram": {"total": 0, "queued": 0}})),
        "what is set"
    );
}
