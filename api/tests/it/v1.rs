//! `/v1`: secrets, uploads, the error log.

use domain::id::ErrorId;
use entity::error_log;
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::json;

use crate::{
    harness::TestApi,
    uploads::{file_named, multipart},
};

const UNKNOWN: &str = "441a53ea-93d1-4a87-9b99-ac20616458c3";

#[tokio::test]
async fn a_secret_stays_the_same_and_differs_between_webhooks() {
    let api = TestApi::start().await;
    let (one, other) = (api.webhook().await, api.webhook().await);
    let secret = async |id: &str| {
        let answer = api.get(&format!("/v1/endpoints/{id}/secret")).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{answer:?}");
        answer.json()["secret"].as_str().expect("a secret").to_owned()
    };
    assert_eq!(secret(&one).await, secret(&one).await);
    assert_ne!(secret(&one).await, secret(&other).await);
    assert!(secret(&one).await.parse::<domain::signature::SigningSecret>().is_ok());
    api.get(&format!("/v1/endpoints/{UNKNOWN}/secret")).await.problem(404, "not_found");
    let reply = api.get("/v1/endpoints/x/secret").await.problem(400, "bad_request");
    assert_eq!(reply["errors"], json!([{"field": "id", "message": "is not a UUID"}]));
}

#[tokio::test]
async fn an_upload_shows_its_current_state() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    api.upload(&webhook, "b", &multipart("b", &[(&file_named("a.txt"), b"hello")])).await;
    let id = api.uploaded().await[0].id;
    let reply = api.get(&format!("/v1/uploads/{id}")).await.json();
    assert_eq!((&reply["id"], &reply["endpoint_id"]), (&json!(id), &json!(webhook)));
    assert_eq!(
        (&reply["state"], &reply["size_bytes"], &reply["file_name"]),
        (&json!("received"), &json!(5), &json!("a.txt"))
    );
    let at = reply["created_at"].as_str().expect("a time");
    assert_eq!((at.len(), &at[23..]), (24, "Z"));
    api.get(&format!("/v1/uploads/{UNKNOWN}")).await.problem(404, "not_found");
}

#[tokio::test]
async fn errors_come_newest_first_in_pages() {
    let api = TestApi::start().await;
    let ids: Vec<ErrorId> = (0..5).map(|_| ErrorId::new()).collect();
    let rows = ids.iter().enumerate().map(|(number, id)| error_log::ActiveModel {
        id: Set(id.0),
        user_id: Set(Some(1)),
        kind: Set("delivery".into()),
        subject_id: Set(id.0),
        message: Set(format!("number {number}")),
        attempt: Set(Some(1)),
        next_retry_at: Set(Some(1_709_024_348_123)),
        created_at: Set(1_709_024_348_000),
    });
    error_log::Entity::insert_many(rows).exec(api.context.database.writer()).await.expect("rows");
    let (mut seen, mut path) = (Vec::new(), "/v1/errors?limit=2".to_owned());
    loop {
        let page = api.get(&path).await.json();
        seen.extend(page["data"].as_array().expect("rows").iter().map(|row| row["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/v1/errors?limit=2&cursor={cursor}");
    }
    let newest_first: Vec<_> = ids.iter().rev().map(|id| json!(id)).collect();
    assert_eq!(seen, newest_first);
    let all = api.get("/v1/errors").await.json();
    assert_eq!(all["next_cursor"], json!(null));
    let row = &all["data"][0];
    assert_eq!((&row["message"], &row["attempt"]), (&json!("number 4"), &json!(1)));
    assert_eq!(
        (&row["next_retry_at"], &row["created_at"]),
        (&json!("2024-02-27T08:59:08.123Z"), &json!("2024-02-27T08:59:08.000Z"))
    );
    let exact = api.get("/v1/errors?limit=5").await.json();
    assert_eq!((exact["data"].as_array().map(Vec::len), &exact["next_cursor"]), (Some(5), &json!(null)));
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let api = TestApi::start().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("colour=red", "colour"),
        ("limit=1&limit=2", "limit"),
    ] {
        let reply = api.get(&format!("/v1/errors?{query}")).await.problem(422, "validation_failed");
        assert_eq!(reply["errors"][0]["field"], field, "{query}");
    }
    assert_eq!(api.get("/v1/errors?limit=1000").await.status, 200);
}
