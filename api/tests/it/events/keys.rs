//! Idempotency keys over HTTP.

use super::*;

on_both_databases! {
    async fn an_idempotency_key_publishes_once(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        api.webhook_of(1, &event_type).await;
        let first = api.publish_under("order 7", &event(&json!({"data": {"a": 1}}))).await;
        assert_eq!(first.status, 202, "{first:?}");
        api.webhook_of(1, &event_type).await;
        let member = event(&json!({"data": {"a": 1}, "idempotency_key": "order 7"}));
        for repeat in [
            api.publish_under("order 7", &event(&json!({"data": {"a": 1}}))).await,
            api.publish(&member).await,
            api.publish_under("order 7", &member).await,
        ] {
            assert_eq!((repeat.status, repeat.json()), (200, first.json()), "the response of the first");
        }
        for other in [json!({"data": {"a": 2}}), json!({"data": {"a": 1}, "deliver_at": "2020-01-01T00:00:00Z"})]
        {
            api.publish_under("order 7", &event(&other)).await.problem(409, "idempotency_key_taken");
        }
        refused_field(&api.publish_under("order 8", &member).await, "idempotency_key");
        let of_another = api.publish_under("order 7", &event(&json!({"user_id": 2}))).await;
        assert_eq!(of_another.status, 202, "keys belong to users");
        assert_eq!(api.count("event").await, 2);
    }

    async fn a_key_in_the_header_has_the_same_bounds(api: TestApi) {
        api.event_type(TYPE).await;
        assert_eq!(api.publish_under(&"k".repeat(255), &event(&json!({}))).await.status, 202);
        assert_eq!(api.publish(&event(&json!({"idempotency_key": "ä".repeat(255)}))).await.status, 202);
        refused_field(&api.publish_under(&"k".repeat(256), &event(&json!({}))).await, "idempotency_key");
        refused_field(&api.publish_under("", &event(&json!({}))).await, "idempotency_key");
        let twice = [JSON, ("idempotency-key", "a"), ("idempotency-key", "a")];
        let answer = api.send("POST", "/v1/events", &twice, event(&json!({})).to_string().as_bytes()).await;
        refused_field(&answer, "idempotency_key");
    }
}
