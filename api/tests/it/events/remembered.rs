//! Recipients are remembered from one event to the next: what has changed in between holds for the next one.

use super::*;

impl TestApi {
    /// Publishes an event; returns its endpoints in the order in which they were made, each with its delivery's state.
    async fn states(&self) -> Vec<(String, String)> {
        let answer = self.publish(&event(&json!({}))).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let shown = self.get(&format!("/v1/events/{}", id(&answer))).await.json();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let deliveries = shown["deliveries"].as_array().expect("deliveries");
        let mut states: Vec<_> =
            deliveries.iter().map(|one| (word(&one["endpoint_id"]), word(&one["state"]))).collect();
        states.sort();
        states
    }

    async fn change_endpoint(&self, endpoint: &str, change: &Value) {
        let answer = self.patch(&format!("/v1/endpoints/{endpoint}"), change).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The bodies of all deliveries that have their own.
    async fn own_bodies(&self) -> Vec<String> {
        let query = entity::delivery::Entity::find().filter(entity::delivery::Column::Body.is_not_null());
        let rows = query.all(self.context.database.writer()).await.expect("rows");
        rows.into_iter().map(|row| String::from_utf8(row.body.expect("its own")).expect("text")).collect()
    }
}

fn expected(states: &[(&String, &str)]) -> Vec<(String, String)> {
    states.iter().map(|(endpoint, state)| ((*endpoint).clone(), (*state).to_owned())).collect()
}

on_both_databases! {
    async fn a_change_between_two_events_applies_to_the_second(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        assert_eq!(api.states().await, []);
        let first = api.webhook_of(1, &event_type).await;
        for _ in 0..2 {
            assert_eq!(api.states().await, expected(&[(&first, "sending")]));
        }
        let second = api.webhook_of(1, &event_type).await;
        api.webhook_of(2, &event_type).await;
        for _ in 0..2 {
            assert_eq!(api.states().await, expected(&[(&first, "sending"), (&second, "sending")]));
        }
        api.set_lane(&first, "paused").await;
        for _ in 0..2 {
            assert_eq!(api.states().await, expected(&[(&first, "held"), (&second, "sending")]));
        }
        assert_eq!(api.post(&format!("/v1/endpoints/{first}/resume")).await.status, 200);
        let draining = expected(&[(&first, "pending"), (&second, "sending")]);
        assert_eq!(api.states().await, draining, "what was held drains first");
        api.set_lane(&first, "paused").await;
        api.change_endpoint(&second, &json!({"max_in_flight": 1})).await;
        assert_eq!(api.states().await, expected(&[(&first, "held"), (&second, "pending")]));
        assert_eq!(api.delete(&format!("/v1/endpoints/{first}")).await.status, 204);
        for _ in 0..2 {
            assert_eq!(api.states().await, expected(&[(&second, "pending")]));
        }
        assert_eq!(api.delete(&format!("/v1/endpoints/{second}")).await.status, 204);
        assert_eq!(api.states().await, []);
        assert_eq!(api.count("event").await, 12);
    }

    async fn a_changed_payload_applies_to_the_next_event(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        let endpoint = api.webhook_of(1, &event_type).await;
        api.states().await;
        for (change, number) in [(json!({"n": 1}), 1), (json!({"n": 2}), 2)] {
            api.change_endpoint(&endpoint, &json!({"custom_payload": change})).await;
            for _ in 0..2 {
                api.states().await;
            }
            let bodies = api.own_bodies().await;
            let with = bodies.iter().filter(|body| body.contains(&format!("\"n\":{number}"))).count();
            assert_eq!((with, bodies.len()), (2, 2 * number), "{bodies:?}");
        }
    }

    async fn one_users_change_neither_duplicates_nor_loses_other_events(api: TestApi) {
        let event_type = api.event_type(TYPE).await;
        for user in 1..=3 {
            api.webhook_of(user, &event_type).await;
        }
        let batch: Vec<Value> = (1..=3).map(|user| event(&json!({"user_id": user}))).collect();
        let publish = async || api.post_json("/v1/events/batch", &json!({"events": batch})).await;
        assert_eq!(publish().await.status, 202);
        api.webhook_of(2, &event_type).await;
        for _ in 0..2 {
            assert_eq!(publish().await.status, 202);
        }
        assert_eq!((api.count("event").await, api.count("delivery").await), (9, 3 + 4 + 4));
    }
}
