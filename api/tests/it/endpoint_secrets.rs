//! `/v1/endpoints/{id}/secret` and its rotation: what is told, what is stored, and that no rotation is lost.

use std::{collections::BTreeSet, time::Duration};

use domain::{
    clock::Millis,
    id::EndpointId,
    signature::{PRIVATE_KEY_PREFIX, PrivateKey, SigningKeys, SigningSecret},
};
use entity::{endpoint, lane};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use crate::harness::{Answer, TestApi};

fn context_of(id: &str) -> Vec<u8> {
    let id: EndpointId = id.parse().expect("an id");
    [b"endpoint-secret:", &id.0.as_bytes()[..]].concat()
}

async fn row(api: &TestApi, id: &str) -> endpoint::Model {
    let id: EndpointId = id.parse().expect("an id");
    let found = endpoint::Entity::find_by_id(id.0).one(api.context.database.reader()).await;
    found.expect("a read").expect("a row")
}

/// The keys as a worker would open them.
async fn stored(api: &TestApi, id: &str) -> SigningKeys {
    let plain = api.context.keys.open(&context_of(id), &row(api, id).await.sealed_secret).expect("opened");
    String::from_utf8(plain).expect("text").parse().expect("keys")
}

async fn store(api: &TestApi, id: &str, keys: &SigningKeys) {
    let sealed = api.context.keys.seal(&context_of(id), keys.expose().as_bytes());
    let id: EndpointId = id.parse().expect("an id");
    endpoint::Entity::update_many()
        .col_expr(endpoint::Column::SealedSecret, Expr::value(sealed))
        .filter(endpoint::Column::Id.eq(id.0))
        .exec(api.context.database.writer())
        .await
        .expect("stored");
}

async fn rotate(api: &TestApi, id: &str, body: &Value) -> Answer {
    api.post_json(&format!("/v1/endpoints/{id}/secret/rotate"), body).await
}

async fn shown(api: &TestApi, id: &str) -> Value {
    api.get(&format!("/v1/endpoints/{id}/secret")).await.json()
}

/// How many signatures a send would have so many seconds from now.
async fn signatures_in(api: &TestApi, id: &str, seconds: u64) -> usize {
    let at: Millis = api.context.clock.now() + Duration::from_secs(seconds);
    stored(api, id).await.sign("evt", at, b"").split(' ').count()
}

#[tokio::test]
async fn a_rotation_creates_a_secret_and_the_old_one_stays_valid_for_a_day() {
    let api = TestApi::start().await;
    let id = api.webhook().await;
    let before = shown(&api, &id).await;
    let changed_at = row(&api, &id).await.updated_at;
    api.context.clock.forward(Duration::from_secs(1));
    let bare = api.send("POST", &format!("/v1/endpoints/{id}/secret/rotate"), &[], b"").await;
    assert_eq!((bare.status, bare.header("cache-control")), (200, Some("no-store")), "{bare:?}");
    let reply = bare.json();
    assert_eq!(
        reply.as_object().map(serde_json::Map::len),
        Some(1),
        "no public key where there is none: {reply}"
    );
    assert_ne!(reply["secret"], before["secret"]);
    assert_eq!(shown(&api, &id).await, reply);
    assert!(row(&api, &id).await.updated_at > changed_at);
    let keys = stored(&api, &id).await;
    assert_eq!(Some(keys.secret().expose()), reply["secret"].as_str());
    assert!(keys.expose().contains(before["secret"].as_str().expect("a secret")));
    assert_eq!(signatures_in(&api, &id, 86_399).await, 2);
    assert_eq!(signatures_in(&api, &id, 86_400).await, 1);
}

#[tokio::test]
async fn the_grace_period_is_0_to_7_days() {
    let api = TestApi::start().await;
    let id = api.webhook().await;
    assert_eq!(rotate(&api, &id, &json!({"grace_seconds": 0})).await.status, 200);
    assert_eq!(signatures_in(&api, &id, 0).await, 1);
    assert_eq!(rotate(&api, &id, &json!({"grace_seconds": 604_800})).await.status, 200);
    assert_eq!(signatures_in(&api, &id, 604_799).await, 2);
    assert_eq!(signatures_in(&api, &id, 604_800).await, 1);
    assert_eq!(rotate(&api, &id, &json!({"grace_seconds": null, "secret": null})).await.status, 200);
    for wrong in [json!(604_801), json!(-1), json!(1.5), json!("60"), json!(true), json!(u64::MAX)] {
        let reply =
            rotate(&api, &id, &json!({"grace_seconds": wrong})).await.problem(422, "validation_failed");
        let rule = json!([{"field": "grace_seconds", "message": "must be a whole number from 0 to 604800"}]);
        assert_eq!(reply["errors"], rule, "{wrong}");
    }
}

#[tokio::test]
async fn a_rotation_accepts_a_given_secret_and_reports_all_errors() {
    let api = TestApi::start().await;
    let id = api.webhook().await;
    let own = SigningSecret::generate();
    let reply = rotate(&api, &id, &json!({"secret": own.expose()})).await.json();
    assert_eq!(reply["secret"], own.expose());
    let sealed = row(&api, &id).await.sealed_secret;
    assert_eq!(rotate(&api, &id, &json!({"secret": own.expose()})).await.json(), reply, "a repeat");
    assert_eq!(signatures_in(&api, &id, 0).await, 2, "no third key by the repeat");
    assert_ne!(row(&api, &id).await.sealed_secret, sealed, "sealed again");

    let body = json!({"grace_seconds": -1, "secret": "whsec_short", "colour": "red"});
    let answer = rotate(&api, &id, &body).await;
    assert!(!answer.text().contains("whsec_short"), "{answer:?}");
    let reply = answer.problem(422, "validation_failed");
    let fields: Vec<_> =
        reply["errors"].as_array().expect("errors").iter().map(|one| &one["field"]).collect();
    assert_eq!(fields, ["grace_seconds", "secret", "colour"]);
    for (wrong, rule) in [
        (json!("secret"), "must begin with whsec_"),
        (json!("whsec_AAAA"), "must be 24 to 64 bytes before base64"),
        (json!("whsk_AAAA"), "must be 32 or 64 bytes before base64"),
        (
            json!(PrivateKey::generate().expose().as_str()),
            "must be a whsec_ secret: this endpoint has no ed25519 key",
        ),
        (json!(5), "must be a string"),
    ] {
        let reply = rotate(&api, &id, &json!({"secret": wrong})).await.problem(422, "validation_failed");
        assert_eq!(reply["errors"], json!([{"field": "secret", "message": rule}]), "{wrong}");
    }
    rotate(&api, &id, &json!([])).await.problem(422, "validation_failed");
    assert_eq!(stored(&api, &id).await.secret().expose(), own.expose(), "nothing was changed");
}

#[tokio::test]
async fn an_ed25519_key_shows_its_public_key_and_is_rotated() {
    let api = TestApi::start().await;
    let id = api.webhook().await;
    let key = PrivateKey::generate();
    store(&api, &id, &stored(&api, &id).await.with_ed25519(key.clone())).await;
    let answer = api.get(&format!("/v1/endpoints/{id}/secret")).await;
    assert!(!answer.text().contains(PRIVATE_KEY_PREFIX), "the private half stays on the server");
    assert_eq!(answer.json()["public_key"], key.public().to_string());

    let reply = rotate(&api, &id, &json!({})).await.json();
    assert_ne!(reply["public_key"], key.public().to_string());
    assert_eq!(signatures_in(&api, &id, 0).await, 4, "both kinds, new and old");
    let own = PrivateKey::generate();
    let told_own =
        rotate(&api, &id, &json!({"secret": own.expose().as_str(), "grace_seconds": 0})).await.json();
    assert_eq!(told_own, json!({"secret": reply["secret"], "public_key": own.public().to_string()}));
}

#[tokio::test]
async fn concurrent_rotations_are_all_applied() {
    let api = TestApi::start().await;
    let id = api.webhook().await;
    let first = shown(&api, &id).await["secret"].clone();
    let body = json!({});
    let answers = join_all((0..10).map(|_| rotate(&api, &id, &body))).await;
    let mut all: BTreeSet<String> = answers
        .iter()
        .map(|answer| answer.json()["secret"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned())
        .collect();
    assert_eq!(all.len(), 10);
    all.insert(first.as_str().expect("a secret").to_owned());
    let text = stored(&api, &id).await.expose();
    let kept: BTreeSet<String> =
        text.split(' ').map(|word| word.split('@').next().expect("a key").to_owned()).collect();
    assert_eq!(kept, all, "each of them, once: current or old");

    let reply = rotate(&api, &id, &json!({})).await.problem(422, "validation_failed");
    assert_eq!(reply["errors"][0]["field"], "grace_seconds", "ten old ones are the most: {reply}");
    assert_eq!(rotate(&api, &id, &json!({"grace_seconds": 0})).await.status, 200);
    api.context.clock.forward(Duration::from_secs(86_401));
    assert_eq!(rotate(&api, &id, &json!({})).await.status, 200);
    assert_eq!(stored(&api, &id).await.expose().split(' ').count(), 2, "expired ones are dropped");
}

#[tokio::test]
async fn unknown_and_deleted_endpoints_are_404() {
    let api = TestApi::start().await;
    let id = api.webhook().await;
    rotate(&api, "441a53ea-93d1-4a87-9b99-ac20616458c3", &json!({})).await.problem(404, "not_found");
    rotate(&api, "x", &json!({})).await.problem(400, "bad_request");
    let lane_id: EndpointId = id.parse().expect("an id");
    for (state, status) in [("paused", 200), ("disabled", 200), ("deleted", 404)] {
        lane::Entity::update_many()
            .col_expr(lane::Column::State, Expr::value(state))
            .filter(lane::Column::Id.eq(lane_id.0))
            .exec(api.context.database.writer())
            .await
            .expect("changed");
        assert_eq!(api.get(&format!("/v1/endpoints/{id}/secret")).await.status, status, "{state}");
        assert_eq!(rotate(&api, &id, &json!({})).await.status, status, "{state}");
    }
}
