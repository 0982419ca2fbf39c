//! What an event tells afterwards.

use super::*;

on_both_databases! {
    async fn an_event_lists_the_endpoints_without_a_delivery_and_the_reason(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        let gets = api.webhook_of(1, &event_type).await;
        let other_type = api.webhook_of(1, UPLOAD_FILE).await;
        let deleted = api.webhook_of(1, &event_type).await;
        api.set_lane(&deleted, "deleted").await;
        api.set_lane(&gets, "paused").await;
        api.webhook_of(2, &event_type).await;
        let answer = api.publish(&event(&json!({}))).await;
        api.context.clock.forward(Duration::from_secs(1));
        let later = api.webhook_of(1, &event_type).await;
        let reply = api.get(&format!("/v1/events/{}", id(&answer))).await.json();
        let delivery = &reply["deliveries"][0];
        assert_eq!((&delivery["endpoint_id"], &delivery["state"]), (&json!(gets), &json!("held")));
        assert_eq!((&delivery["channel"], &delivery["attempts"]), (&json!("webhook"), &json!(0)));
        let unmatched: Vec<_> = reply["unmatched"].as_array().expect("a list").iter().collect();
        let reasons: Vec<_> = unmatched.iter().map(|one| (&one["endpoint_id"], &one["reason"])).collect();
        assert_eq!(
            reasons,
            [
                (&json!(other_type), &json!("not_registered")),
                (&json!(deleted), &json!("deleted")),
                (&json!(later), &json!("created_later")),
            ]
        );
        assert!(unmatched.iter().all(|one| one["why"].as_str().is_some_and(|why| why.ends_with('.'))));
        assert_eq!((&reply["more_deliveries"], &reply["more_unmatched"]), (&json!(false), &json!(false)));
        let addressed = api.publish(&event(&json!({"endpoint_ids": [other_type]}))).await;
        let reply = api.get(&format!("/v1/events/{}", id(&addressed))).await.json();
        assert_eq!(reply["unmatched"][0]["reason"], "not_addressed", "{reply}");
    }

    async fn lists_of_an_event_are_bounded_and_marked_when_cut(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        api.endpoints(1_000, &event_type).await;
        let reply = async |answer: &Answer| api.get(&format!("/v1/events/{}", id(answer))).await.json();
        let lengths =
            |reply: &Value| (reply["deliveries"].as_array().map(Vec::len), reply["more_deliveries"].clone());
        let exact = api.publish(&event(&json!({}))).await;
        assert_eq!(lengths(&reply(&exact).await), (Some(1_000), json!(false)));
        api.endpoints(1, &event_type).await;
        let more = api.publish(&event(&json!({}))).await;
        assert_eq!(more.json()["deliveries"], 1_001);
        assert_eq!(lengths(&reply(&more).await), (Some(1_000), json!(true)));
        let one = api.webhook_of(1, UPLOAD_FILE).await;
        let addressed = reply(&api.publish(&event(&json!({"endpoint_ids": [one]}))).await).await;
        assert_eq!(
            (addressed["unmatched"].as_array().map(Vec::len), &addressed["more_unmatched"]),
            (Some(1_000), &json!(true))
        );
    }

    async fn an_unknown_event_is_404(api: TestApi) {
        api.get(&format!("/v1/events/{}", Uuid::now_v7())).await.problem(404, "not_found");
        api.get("/v1/events/x").await.problem(400, "bad_request");
    }
}
