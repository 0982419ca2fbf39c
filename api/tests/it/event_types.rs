//! `/v1/event-types`: who may make them, what they may be called, when they can go.

use serde_json::{Value, json};

use crate::{
    both::on_both_databases,
    harness::{TestApi, UPLOAD_FILE},
};

const TYPES: &str = "/v1/event-types";

async fn made(api: &TestApi, name: &str) -> Value {
    let answer = api.post_json(TYPES, &json!({ "name": name })).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

async fn refused(api: &TestApi, body: &Value) -> Value {
    api.post_json(TYPES, body).await.problem(422, "validation_failed")["errors"].clone()
}

on_both_databases! {
    async fn an_event_type_is_created_once_and_found_by_id_and_name(api: TestApi) {
        let body = json!({"name": "invoice/paid ä", "description": "Money came in"});
        let answer = api.post_json(TYPES, &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let reply = answer.json();
        assert_eq!(
            reply.as_object().expect("an object").keys().collect::<Vec<_>>(),
            ["id", "name", "description", "created_at"]
        );
        assert_eq!((&reply["name"], &reply["description"]), (&body["name"], &body["description"]));
        api.post_json(TYPES, &body).await.problem(409, "already_exists");
        let id = reply["id"].as_str().expect("an id");
        for named in [id, "invoice%2Fpaid%20%C3%A4"] {
            assert_eq!(api.get(&format!("{TYPES}/{named}")).await.json(), reply, "{named}");
        }
        assert_eq!(api.get(&format!("{TYPES}/{UPLOAD_FILE}")).await.json()["name"], "upload file");
        for nowhere in ["441a53ea-93d1-4a87-9b99-ac20616458c3", "invoice", "%00", "a%0Ab", "%20"] {
            api.get(&format!("{TYPES}/{nowhere}")).await.problem(404, "not_found");
            api.delete(&format!("{TYPES}/{nowhere}")).await.problem(404, "not_found");
        }
        let listed = api.get("/event_type").await.json();
        assert_eq!(listed["data"][0]["name"], "invoice/paid ä");
    }

    async fn of_two_concurrent_creations_one_is_a_conflict(api: TestApi) {
        let body = json!({"name": "invoice.paid"});
        let (one, other) = tokio::join!(api.post_json(TYPES, &body), api.post_json(TYPES, &body));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
    }

    async fn an_unused_event_type_can_be_deleted(api: TestApi) {
        let id = made(&api, "invoice.paid").await["id"].clone();
        let endpoint = json!({"user_id": 1, "url": "https://a.test/", "event_types": ["invoice.paid"]});
        let endpoint = api.post_json("/v1/endpoints", &endpoint).await.json()["id"].clone();
        let path = format!("{TYPES}/{}", id.as_str().expect("an id"));
        api.delete(&path).await.problem(409, "in_use");
        let endpoint = format!("/v1/endpoints/{}", endpoint.as_str().expect("an id"));
        assert_eq!(api.delete(&endpoint).await.status, 204);
        assert_eq!(api.delete(&path).await.status, 204);
        api.delete(&path).await.problem(404, "not_found");
        for seeded in ["upload%20file", "message.received", UPLOAD_FILE] {
            api.delete(&format!("{TYPES}/{seeded}")).await.problem(409, "in_use");
        }
        assert_eq!(api.count("event_type").await, 2);
    }

    async fn event_types_come_in_pages(api: TestApi) {
        for number in 0..3 {
            made(&api, &format!("type.{number}")).await;
        }
        let (mut seen, mut path) = (Vec::new(), format!("{TYPES}?limit=2"));
        loop {
            let page = api.get(&path).await.json();
            seen.extend(page["data"].as_array().expect("rows").iter().map(|row| row["name"].clone()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("{TYPES}?limit=2&cursor={cursor}");
        }
        assert_eq!(seen, ["upload file", "type.2", "type.1", "type.0", "message.received"]);
        assert_eq!(api.get(&format!("{TYPES}?limit=5")).await.json()["next_cursor"], json!(null));
    }
}

#[tokio::test]
async fn names_and_descriptions_are_validated() {
    let api = TestApi::start().await;
    for bad in
        [json!(""), json!("a\nb"), json!("a\0"), json!(" a"), json!("ä".repeat(256)), json!(UPLOAD_FILE)]
    {
        assert_eq!(refused(&api, &json!({ "name": bad })).await[0]["field"], "name", "{bad}");
    }
    for reserved in ["hookyard.test", "HOOKYARD.x", "endpoint.disabled"] {
        let reply = refused(&api, &json!({ "name": reserved })).await;
        assert_eq!(reply, json!([{"field": "name", "message": "is reserved for Hookyard"}]));
    }
    made(&api, &"ä".repeat(255)).await;
    let described = |chars: usize| json!({"name": "b", "description": "ä".repeat(chars)});
    assert_eq!(refused(&api, &described(1_025)).await[0]["field"], "description");
    assert_eq!(api.post_json(TYPES, &described(1_024)).await.status, 201);
    let reply = refused(&api, &json!({"name": 1, "description": 2, "colour": "red"})).await;
    let fields: Vec<_> = reply.as_array().expect("errors").iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["name", "description", "colour"]);
    assert_eq!(refused(&api, &json!([])).await[0]["field"], "body");
}
