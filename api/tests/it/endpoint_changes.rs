//! `PATCH /v1/endpoints/{id}`: what is left out stays, what is null goes, and of two changes at once neither is lost.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    both::on_both_databases,
    endpoints::{faults, valid, with},
    harness::{TestApi, UPLOAD_FILE},
};

fn full() -> Value {
    json!({
        "url": "https://other.test/", "event_types": ["message.received"], "description": "Books",
        "custom_headers": {"x-a": "1"}, "custom_payload": {"a": 1}, "rate_limit": 5, "max_in_flight": 6,
        "timeout_ms": 7_000, "retry_schedule": [8], "metadata": {"b": 2},
    })
}

fn masked(mut reply: Value) -> Value {
    reply["custom_headers"] = json!({"x-a": "••••••••"});
    reply
}

on_both_databases! {
    async fn each_member_can_be_changed_separately(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        let mut before = api.get(&path).await.json();
        for (field, value) in full().as_object().expect("members") {
            let answer = api.patch(&path, &json!({ field: value })).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let after = answer.json();
            assert!(after["updated_at"].as_str() > before["updated_at"].as_str(), "{field}: {after}");
            before["updated_at"] = after["updated_at"].clone();
            before[field] = masked(full())[field].clone();
            assert_eq!(after, before, "{field}");
        }
        assert_eq!(api.get(&path).await.json(), before);
        assert_eq!(api.count("endpoint_event_type").await, 1);
    }

    async fn null_clears_optional_members_and_an_empty_change_changes_nothing(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        let fresh = api.get(&path).await.json();
        let changed = api.patch(&path, &full()).await.json();
        let same = api.patch(&path, &json!({})).await;
        assert_eq!((same.status, same.json()), (200, changed));
        let optional = [
            "description", "custom_headers", "custom_payload", "rate_limit", "max_in_flight", "timeout_ms",
            "retry_schedule", "metadata",
        ];
        let nulls: Value = optional.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
        let cleared = api.patch(&path, &nulls).await.json();
        for field in optional {
            assert_eq!(cleared[field], fresh[field], "{field}");
        }
        assert_eq!((&cleared["url"], &cleared["event_types"]), (&full()["url"], &full()["event_types"]));
    }

    async fn a_change_with_a_fault_changes_nothing(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        let before = api.get(&path).await.json();
        let bad = json!({
            "description": "new", "url": null, "event_types": null, "timeout_ms": 60_001, "rate_limit": 0,
            "user_id": 2, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "state": "disabled",
        });
        let reply = faults(&api.patch(&path, &bad).await);
        assert_eq!(reply, ["url", "event_types", "rate_limit", "timeout_ms", "user_id", "secret", "state"]);
        let unknown = json!({"description": "new", "event_types": [UPLOAD_FILE, "nowhere"]});
        assert_eq!(faults(&api.patch(&path, &unknown).await), ["event_types[1]"]);
        let masked = json!({"custom_headers": {"authorization": "••••••••"}});
        assert_eq!(faults(&api.patch(&path, &masked).await), ["custom_headers"]);
        assert_eq!(api.get(&path).await.json(), before);
        let missing = "/v1/endpoints/441a53ea-93d1-4a87-9b99-ac20616458c3";
        api.patch(missing, &json!({})).await.problem(404, "not_found");
        api.patch("/v1/endpoints/x", &json!({})).await.problem(400, "bad_request");
    }

    async fn concurrent_changes_are_all_kept(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        for _ in 0..5 {
            api.patch(&path, &json!({"description": null, "rate_limit": null, "timeout_ms": null})).await;
            let patches: Vec<Value> = full().as_object().expect("members").iter()
                .map(|(field, value)| json!({ field: value })).collect();
            let before = api.get(&path).await.json()["updated_at"].clone();
            let answers = join_all(patches.iter().map(|patch| api.patch(&path, patch))).await;
            let mut times: Vec<String> = Vec::new();
            for answer in &answers {
                assert_eq!(answer.status, 200, "{answer:?}");
                times.push(answer.json()["updated_at"].as_str().expect("a time").to_owned());
            }
            let shown = api.get(&path).await.json();
            for (field, value) in masked(full()).as_object().expect("members") {
                assert_eq!(&shown[field], value, "{field}");
            }
            times.sort_unstable();
            times.dedup();
            assert_eq!(times.len(), patches.len(), "each change has its own time");
            assert!(Some(times[0].as_str()) > before.as_str());
        }
    }

    async fn of_two_concurrent_sets_of_event_types_one_is_kept_whole(api: TestApi) {
        let path = api.endpoint_path(&valid()).await;
        let sets = [json!(["endpoint.disabled", "upload file"]), json!(["message.received"])];
        for _ in 0..10 {
            let patches = [0, 1, 0, 1].map(|index: usize| json!({"event_types": sets[index]}));
            for answer in join_all(patches.iter().map(|patch| api.patch(&path, patch))).await {
                assert_eq!(answer.status, 200, "{answer:?}");
                assert!(sets.contains(&answer.json()["event_types"]), "{answer:?}");
            }
            assert!(sets.contains(&api.get(&path).await.json()["event_types"]));
        }
    }

    async fn a_registered_event_type_cannot_be_deleted(api: TestApi) {
        for _ in 0..10 {
            assert_eq!(api.post_json("/v1/event-types", &json!({"name": "brief"})).await.status, 201);
            let body = with("event_types", json!(["brief"]));
            let (made, gone) =
                tokio::join!(api.post_json("/v1/endpoints", &body), api.delete("/v1/event-types/brief"));
            match (made.status, gone.status) {
                (201, 409) => {
                    let path = format!("/v1/endpoints/{}", made.json()["id"].as_str().expect("an id"));
                    assert_eq!(api.delete(&path).await.status, 204);
                    assert_eq!(api.delete("/v1/event-types/brief").await.status, 204);
                }
                (422, 204) => assert_eq!(faults(&made), ["event_types[0]"]),
                other => panic!("{other:?}: {made:?} {gone:?}"),
            }
        }
    }
}
