//! `/v1/placements`: what one says, and how many are made at once.

use serde_json::{Value, json};

use crate::{
    both::on_both_databases,
    harness::{TestApi, fields, ids, walk},
};

const PLACEMENTS: &str = "/v1/placements";

on_both_databases! {
    async fn a_placement_is_created_returned_and_deleted(api: TestApi) {
        let body = json!({"student": "Ärzu", "company": "Acme", "role": "Engineer", "package": 12.345,
                          "placed_on": "2024-02-29"});
        let answer = api.post_json(PLACEMENTS, &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let reply = answer.json();
        let members: Vec<_> = reply.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["id", "student", "company", "role", "package", "placed_on", "created_at"]);
        for (name, value) in body.as_object().expect("an object") {
            assert_eq!(&reply[name], value, "{name}");
        }
        let path = format!("{PLACEMENTS}/{}", reply["id"].as_str().expect("an id"));
        assert_eq!(api.get(&path).await.json(), reply);
        assert_eq!(api.get(PLACEMENTS).await.json()["data"], json!([reply]));
        assert_eq!(api.delete(&path).await.status, 204);
        api.get(&path).await.problem(404, "not_found");
        api.delete(&path).await.problem(404, "not_found");
    }

    async fn a_request_creates_at_most_1000(api: TestApi) {
        let batch = |count: usize| {
            let all: Vec<_> = (0..count)
                .map(|n| json!({"student": format!("s{n}"), "company": "c", "package": n, "role": "r"}))
                .collect();
            json!({ "placements": all })
        };
        let path = format!("{PLACEMENTS}/batch");
        for count in [0, 1_001] {
            let reply = api.post_json(&path, &batch(count)).await.problem(422, "validation_failed");
            assert_eq!(fields(&reply), ["placements"]);
        }
        let answer = api.post_json(&path, &batch(1_000)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let reply = answer.json();
        let students = reply["data"].as_array().expect("rows").iter().map(|row| row["student"].clone());
        assert!(students.eq((0..1_000).map(|n| json!(format!("s{n}")))), "in order");
        let mut newest_first = ids(&reply["data"]);
        newest_first.reverse();
        assert_eq!(walk(&api, PLACEMENTS, 400).await, newest_first);
    }
}

#[tokio::test]
async fn every_member_is_validated_at_its_limit() {
    let api = TestApi::start().await;
    let with = |name: &str, value: Value| {
        let mut body = json!({"student": "s", "company": "c"});
        body[name] = value;
        body
    };
    let crabs = |count: usize| json!("🦀".repeat(count));
    for (name, good) in [
        ("student", crabs(255)),
        ("company", crabs(255)),
        ("role", crabs(255)),
        ("role", json!("")),
        ("role", json!(null)),
        ("package", json!(0.0)),
        ("package", json!(1e12)),
        ("package", json!(null)),
        ("placed_on", json!("2026-11-21")),
    ] {
        let answer = api.post_json(PLACEMENTS, &with(name, good.clone())).await;
        assert_eq!((answer.status, &answer.json()[name]), (201, &good), "{name}");
    }
    for (name, bad) in [
        ("student", crabs(0)),
        ("student", crabs(256)),
        ("company", crabs(256)),
        ("company", json!(null)),
        ("role", crabs(256)),
        ("role", json!("\0")),
        ("package", json!(-0.001)),
        ("package", json!(1_000_000_000_000.001)),
        ("package", json!("12")),
        ("placed_on", json!("2026-02-29")),
        ("placed_on", json!("21.11.2026")),
        ("placed_on", json!(20_261_121)),
        ("salary", json!(1)),
    ] {
        let reply = api.post_json(PLACEMENTS, &with(name, bad)).await.problem(422, "validation_failed");
        assert!(fields(&reply).iter().all(|field| field == name), "{name}: {reply}");
    }
    let body = json!({"placements": [{"student": "s", "company": "c"}, {"student": "s", "package": -1}]});
    let reply = api.post_json("/v1/placements/batch", &body).await.problem(422, "validation_failed");
    assert_eq!(fields(&reply), ["placements[1].company", "placements[1].package"]);
    assert_eq!(api.count("placement").await, 9);
}
