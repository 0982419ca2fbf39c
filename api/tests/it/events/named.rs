//! Events that name their endpoints, and the one that tries an endpoint.

use super::*;

on_both_databases! {
    async fn an_event_goes_to_exactly_the_endpoints_that_it_names(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        let (mine, other, strange, gone) = (
            api.webhook_of(1, UPLOAD_FILE).await,
            api.webhook_of(1, &event_type).await,
            api.webhook_of(2, &event_type).await,
            api.webhook_of(1, &event_type).await,
        );
        api.set_lane(&gone, "deleted").await;
        let named = |ids: &[&str]| event(&json!({"endpoint_ids": ids}));
        let answer = api.publish(&named(&[&mine])).await;
        assert_eq!((answer.status, &answer.json()["deliveries"]), (202, &json!(1)), "registered for it or not");
        let reply = api.get(&format!("/v1/events/{}", id(&answer))).await.json();
        assert_eq!((&reply["addressed"], &reply["deliveries"][0]["endpoint_id"]), (&json!(true), &json!(mine)));
        for stranger in [&strange, &gone, &Uuid::now_v7().to_string()] {
            refused_field(&api.publish(&named(&[&mine, stranger])).await, "endpoint_ids[1]");
        }
        refused_field(&api.publish(&named(&[&mine, &other, &mine])).await, "endpoint_ids[2]");
        assert_eq!(api.count("event").await, 1);
    }

    async fn an_event_names_at_most_1000_endpoints(api: TestApi) {
        api.event_type(TYPE).await;
        let ids = |count: usize| (0..count).map(|_| Uuid::now_v7()).collect::<Vec<_>>();
        let reply = api.publish(&event(&json!({"endpoint_ids": ids(1_000)}))).await;
        let reply = reply.problem(422, "validation_failed");
        assert_eq!(
            reply["errors"].as_array().map(Vec::len),
            Some(32),
            "bounded: they are not there, each of them"
        );
        refused_field(&api.publish(&event(&json!({"endpoint_ids": ids(1_001)}))).await, "endpoint_ids");
    }

    async fn a_test_event_goes_to_one_endpoint_alone(api: TestApi) {
        let (one, _) = (api.webhook().await, api.webhook().await);
        let answer = api.send("POST", &format!("/v1/endpoints/{one}/test"), &[], b"").await;
        assert_eq!((answer.status, &answer.json()["deliveries"]), (202, &json!(1)), "{answer:?}");
        let reply = api.get(&format!("/v1/events/{}", id(&answer))).await.json();
        assert_eq!((&reply["type"], &reply["addressed"]), (&json!("hookyard.test"), &json!(true)));
        assert_eq!(
            (&reply["data"]["endpoint_id"], &reply["deliveries"][0]["endpoint_id"]),
            (&json!(one), &json!(one))
        );
        for (state, status) in [("paused", 202), ("disabled", 202), ("deleted", 404)] {
            api.set_lane(&one, state).await;
            let answer = api.send("POST", &format!("/v1/endpoints/{one}/test"), &[], b"").await;
            assert_eq!(answer.status, status, "{state}: {answer:?}");
        }
        let unknown = format!("/v1/endpoints/{}/test", Uuid::now_v7());
        api.send("POST", &unknown, &[], b"").await.problem(404, "not_found");
    }
}
