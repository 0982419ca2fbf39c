//! An endpoint that goes down and comes back, from the tenth failure to the last of what had waited for it; by HTTP.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, Receiver, TestApp, on_both_shapes};

/// Works what is due until nothing is, without moving the clock: what drains keeps its pace.
async fn work(app: &TestApp) {
    while app.drain_once().await {}
}

async fn endpoint(app: &TestApp, id: &str) -> Value {
    let answer = app.http.get(format!("{}/v1/endpoints/{id}", app.base)).send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

async fn why(app: &TestApp, event: domain::id::EventId) -> String {
    let id = app.delivery_of(event).await.id;
    let answer = app.http.get(format!("{}/v1/deliveries/{id}", app.base)).send().await.expect("an answer");
    let response: Value = answer.json().await.expect("JSON");
    response["why"].as_str().expect("a sentence").to_owned()
}

on_both_shapes! {
    async fn an_endpoint_that_goes_down_is_probed_until_it_is_well_and_then_gets_what_waited(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        receiver.answer_always(Answer::Status(500));
        let id = app.register(&receiver.url("/")).await.to_string();

        // Ten sends in a row fail: nothing more is sent, new deliveries included.
        for n in 0..10 {
            app.publish(json!({"n": n})).await.expect("accepted");
        }
        work(&app).await;
        assert_eq!((receiver.count(), &endpoint(&app, &id).await["breaker"]), (10, &json!("open")));
        for n in 10..150 {
            app.publish(json!({"n": n})).await.expect("accepted");
        }
        let (last, _) = app.publish(json!({"n": 150})).await.expect("accepted");
        work(&app).await;
        assert_eq!(receiver.count(), 10);
        assert!(why(&app, last).await.contains("circuit breaker is open after 10 consecutive failures"), "{}", why(&app, last).await);

        // Thirty seconds later it gets one probe, which fails: a minute.
        app.clock.forward(Duration::from_secs(31));
        assert_eq!(endpoint(&app, &id).await["breaker"], "half_open");
        work(&app).await;
        assert_eq!((receiver.count(), &endpoint(&app, &id).await["breaker"]), (11, &json!("open")));
        app.clock.forward(Duration::from_secs(58));
        work(&app).await;
        assert_eq!(receiver.count(), 11, "the wait has doubled");

        // The next probe succeeds: what waited goes out at fifty a second, what is new at once.
        receiver.answer_always(Answer::Status(200));
        app.clock.forward(Duration::from_secs(3));
        app.drain_once().await;
        assert_eq!((receiver.count(), &endpoint(&app, &id).await["breaker"]), (12, &json!("closed")));
        app.clock.forward(Duration::from_millis(20));
        app.publish(json!({"n": 151})).await.expect("accepted");
        let begun = app.clock.now();
        app.drain_once().await;
        assert!(receiver.calls().iter().any(|call| call.json().is_some_and(|body| body["data"]["n"] == 151)), "what is new does not wait");
        let mut rounds = 0;
        while app.counts().await.0 > 0 {
            app.clock.forward(Duration::from_millis(500));
            work(&app).await;
            rounds += 1;
            assert!(rounds < 1_000, "{:?} are left", app.counts().await);
        }
        let most = 12.0 + 8.0 + 50.0 * app.clock.now().since(begun).as_secs_f64();
        assert!((receiver.count() as f64) <= most, "{} in {:?}", receiver.count(), app.clock.now().since(begun));
        assert_eq!(app.counts().await, (0, 152));
    }
}
