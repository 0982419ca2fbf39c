//! Publishing many events at once.

use super::*;

on_both_databases! {
    async fn a_batch_answers_each_event_in_order(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        api.webhook_of(1, &event_type).await;
        let events = json!({"events": [
            event(&json!({"data": 0, "idempotency_key": "k"})),
            event(&json!({"type": "unknown.type"})),
            7,
            event(&json!({"data": 0, "idempotency_key": "k"})),
            event(&json!({"data": 1, "idempotency_key": "k"})),
            event(&json!({"colour": "red"})),
            event(&json!({"data": 2})),
        ]});
        let answer = api.post_json("/v1/events/batch", &events).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let reply = answer.json();
        let code = |place: usize| reply["data"][place]["code"].as_str().unwrap_or("").to_owned();
        let codes: Vec<_> = (0..7).map(code).collect();
        let invalid = "validation_failed";
        assert_eq!(codes, ["", invalid, invalid, "", "idempotency_key_taken", invalid, ""]);
        assert_eq!(reply["data"][0], reply["data"][3], "two copies are one event");
        assert_eq!(reply["data"][6]["deliveries"], 1);
        assert_eq!(reply["data"][1]["errors"][0]["field"], "type");
        assert_eq!(reply["data"][1]["request_id"].as_str(), answer.header("x-request-id"));
        assert_eq!(api.count("event").await, 2);
    }

    async fn a_batch_has_1_to_1000_events(api: TestApi) {
        api.event_type(TYPE).await;
        let batch = |count: usize| json!({"events": vec![event(&json!({})); count]});
        let answer = api.post_json("/v1/events/batch", &batch(1_000)).await;
        assert_eq!((answer.status, answer.json()["data"].as_array().map(Vec::len)), (202, Some(1_000)));
        assert_eq!(api.count("event").await, 1_000);
        for bad in [batch(0), batch(1_001), json!({}), json!({"events": {}})] {
            refused_field(&api.post_json("/v1/events/batch", &bad).await, "events");
        }
        let with_more = json!({"events": [event(&json!({}))], "more": 1});
        refused_field(&api.post_json("/v1/events/batch", &with_more).await, "more");
        let headers = [JSON, ("idempotency-key", "k")];
        let answer = api.send("POST", "/v1/events/batch", &headers, batch(1).to_string().as_bytes()).await;
        refused_field(&answer, "Idempotency-Key");
        let large = vec![b' '; 8 * 1_024 * 1_024 + 1];
        api.send("POST", "/v1/events/batch", &[JSON], &large).await.problem(413, "payload_too_large");
    }

    async fn a_large_batch_does_not_delay_another_users_event(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        for user_id in [vec![1; 40], vec![2]].concat() {
            api.webhook_of(user_id, &event_type).await;
        }
        let batch = json!({"events": vec![event(&json!({})); 1_000]});
        let other = async {
            while api.count("event").await == 0 {}
            let answer = api.publish(&event(&json!({"user_id": 2}))).await;
            (answer, api.count("delivery").await)
        };
        let (batch, (answer, written)) = tokio::join!(api.post_json("/v1/events/batch", &batch), other);
        assert_eq!((batch.status, answer.status), (202, 202), "{answer:?}");
        assert!(written < 20_000, "the other's answer came when half of the batch was written: {written}");
        assert_eq!(api.count("delivery").await, 40_001);
    }
}

#[tokio::test]
async fn bodies_over_the_memory_budget_are_rejected_unread() {
    let limits = api::Limits { stall: STALL, publish_bytes: 8 * 1_024, ..api::Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    api.event_type(TYPE).await;
    assert_eq!(api.publish(&event(&json!({"data": "x".repeat(7 * 1_024)}))).await.status, 202);
    api.publish(&event(&json!({"data": "x".repeat(8 * 1_024)}))).await.problem(503, "overloaded");
    assert_eq!(api.publish(&event(&json!({}))).await.status, 202, "its share of the body budget is released");
}
