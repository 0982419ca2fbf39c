//! `POST /api/push/test`: what a browser sends itself arrives at itself, encrypted, and nowhere else.

use channels::web_push::VapidKeys;
use serde_json::{Value, json};
use testkit::{PushService, Shape, TestApp};

async fn app(shape: Shape) -> TestApp {
    let (private, public) = VapidKeys::generate();
    let settings = [
        ("VAPID_PRIVATE_KEY", private.as_str()),
        ("VAPID_PUBLIC_KEY", public.as_str()),
        ("VAPID_EMAIL", "push@example.org"),
    ];
    TestApp::start_with(shape, &settings).await
}

async fn ask(app: &TestApp, what: &str, body: &Value) -> Value {
    let (status, response) = app.post_json(&format!("/api/push/{what}"), body).await;
    assert_eq!(status, 200, "{response}");
    response
}

async fn a_test_arrives_at_the_browser_that_asked_and_at_no_other(shape: Shape) {
    let (app, service) = (app(shape).await, PushService::start().await.expect("a push service"));
    let (mine, other) = (service.subscribe(), service.subscribe());
    for one in [&mine, &other] {
        assert_eq!(ask(&app, "subscribe", &one.to_json()).await, json!({"success": true}));
    }
    assert_eq!(ask(&app, "test", &mine.to_json()).await, json!({"success": true}));
    app.drain().await;
    let now = app.clock.now();
    let messages = mine.messages(now).expect("good messages");
    assert_eq!((messages.len(), other.messages(now).expect("none").len()), (1, 0));
    let payload = &messages[0].payload;
    assert!(payload["title"].is_string() && payload["body"].is_string(), "{payload}");
    assert_eq!(messages[0].key, app.context.config.vapid.as_ref().expect("set").public_key);
    let event = app.events().await.remove(0);
    assert_eq!(payload["event_id"], event.id.to_string());
}

async fn a_browser_that_left_between_two_tests_is_forgotten(shape: Shape) {
    let (app, service) = (app(shape).await, PushService::start().await.expect("a push service"));
    let mine = service.subscribe();
    ask(&app, "subscribe", &mine.to_json()).await;
    mine.unsubscribe();
    assert_eq!(ask(&app, "test", &mine.to_json()).await, json!({"success": true}));
    app.drain().await;
    assert_eq!(ask(&app, "test", &mine.to_json()).await, json!({"success": false}));
    assert_eq!(service.count(), 1);
}

/// Both stories on each shape, with settings that the usual macro does not take.
macro_rules! on {
    ($name:ident, $shape:expr) => {
        mod $name {
            use testkit::Shape;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_test_arrives_at_the_browser_that_asked_and_at_no_other() {
                super::a_test_arrives_at_the_browser_that_asked_and_at_no_other($shape).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_browser_that_left_between_two_tests_is_forgotten() {
                super::a_browser_that_left_between_two_tests_is_forgotten($shape).await;
            }
        }
    };
}

on!(embedded, Shape::Embedded);
on!(cluster, Shape::Cluster);
