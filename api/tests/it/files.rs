//! Signed links to uploaded files: who has one, what it gives, how long.

use std::time::Duration;

use api::Limits;
use domain::{clock::Millis, id::UploadId};
use http::Uri;
use platform::links::download_url;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use tokio::{io::AsyncWriteExt, time::timeout};

use crate::{
    harness::{Answer, PATIENCE, STALL, TestApi},
    uploads::{file_named, multipart},
};

const CONTENT: &[u8] = b"0123456789";

/// An API with one upload, and the link to its file.
async fn with_file(settings: &[(&str, &str)]) -> (TestApi, UploadId, String) {
    let api = TestApi::with(settings).await;
    let id = upload(&api, CONTENT).await;
    let expires = api.context.clock.now() + Duration::from_secs(60);
    let link = link(&api, id, expires);
    (api, id, link)
}

async fn upload(api: &TestApi, content: &[u8]) -> UploadId {
    let key =
        api.context.config.admin_api_key.as_ref().map(|key| key.expose().to_owned()).unwrap_or_default();
    let body = serde_json::json!({"event_type_id": crate::harness::UPLOAD_FILE, "user_id": 1, "url": "https://a.test/"});
    let headers = [("content-type", "application/json"), ("x-api-key", key.as_str())];
    let answer = api.send("POST", "/webhook/register", &headers, body.to_string().as_bytes()).await;
    let webhook = answer.json()["data"]["id"].as_str().expect("an id").to_owned();
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("x-api-key", key.as_str())];
    let body = multipart("b", &[(&file_named("bücher <b>.html"), content)]);
    let answer = api.send("POST", &format!("/upload_file/webhook_id/{webhook}"), &headers, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    api.uploaded().await[0].id.into()
}

fn link(api: &TestApi, id: UploadId, expires: Millis) -> String {
    let url = download_url(&api.context.config.public_url, &api.context.keys, id, expires);
    let uri: Uri = url.parse().expect("a URI");
    uri.path_and_query().expect("a path").as_str().to_owned()
}

async fn ranged(api: &TestApi, link: &str, range: &str) -> Answer {
    api.send("GET", link, &[("range", range)], b"").await
}

#[tokio::test]
async fn a_link_gives_the_file_as_an_attachment() {
    let (api, _, link) = with_file(&[]).await;
    let answer = api.get(&link).await;
    assert_eq!((answer.status, &answer.body[..]), (200, CONTENT));
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert_eq!(answer.header("content-length"), Some("10"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert!(answer.header("content-security-policy").is_some_and(|policy| policy.contains("sandbox")));
    let offer = answer.header("content-disposition").expect("an offer");
    assert!(
        offer.starts_with("attachment; ") && offer.contains("b%C3%BCcher") && !offer.contains('<'),
        "{offer}"
    );
}

#[tokio::test]
async fn head_returns_the_same_headers() {
    let (api, _, link) = with_file(&[]).await;
    let answer = api.send("HEAD", &link, &[], b"").await;
    assert_eq!((answer.status, answer.header("content-length"), answer.body.len()), (200, Some("10"), 0));
}

#[tokio::test]
async fn a_processed_file_has_a_media_type_and_an_etag() {
    let (api, _, link) = with_file(&[]).await;
    let mut row = api.uploaded().await.remove(0).into_active_model();
    row.media_type = Set(Some("text/html".into()));
    row.sha256 = Set(Some("abc".into()));
    row.update(api.context.database.writer()).await.expect("an update");
    let answer = api.get(&link).await;
    assert_eq!((answer.header("content-type"), answer.header("etag")), (Some("text/html"), Some("\"abc\"")));
    let same = [("range", "bytes=0-1"), ("if-range", "\"abc\"")];
    assert_eq!(api.send("GET", &link, &same, b"").await.status, 206);
    let other = [("range", "bytes=0-1"), ("if-range", "\"abd\"")];
    assert_eq!(api.send("GET", &link, &other, b"").await.status, 200);
}

#[tokio::test]
async fn a_range_gives_a_part() {
    let (api, _, link) = with_file(&[]).await;
    for (range, span, part) in [
        ("bytes=0-0", "bytes 0-0/10", &b"0"[..]),
        ("bytes=3-", "bytes 3-9/10", b"3456789"),
        ("bytes=-4", "bytes 6-9/10", b"6789"),
        ("bytes=8-99", "bytes 8-9/10", b"89"),
        ("bytes=0-", "bytes 0-9/10", CONTENT),
        ("bytes=0-9", "bytes 0-9/10", CONTENT),
        ("bytes=0-99999", "bytes 0-9/10", CONTENT),
    ] {
        let answer = ranged(&api, &link, range).await;
        assert_eq!(
            (answer.status, &answer.body[..], answer.header("content-range")),
            (206, part, Some(span)),
            "{range}"
        );
        assert_eq!(answer.header("content-length"), Some(part.len().to_string().as_str()));
    }
    for range in ["bytes=0-1,3-4", "bytes=5-2", "lines=1-2"] {
        let answer = ranged(&api, &link, range).await;
        assert_eq!((answer.status, &answer.body[..]), (200, CONTENT), "{range}");
    }
}

#[tokio::test]
async fn a_range_outside_the_file_is_416() {
    let (api, _, link) = with_file(&[]).await;
    for range in ["bytes=10-", "bytes=-0", "bytes=10-20"] {
        let answer = ranged(&api, &link, range).await;
        answer.problem(416, "range_not_satisfiable");
        assert_eq!(answer.header("content-range"), Some("bytes */10"));
    }
}

#[tokio::test]
async fn a_modified_link_is_403() {
    let (api, id, link) = with_file(&[]).await;
    let path = format!("/v1/uploads/{id}/file");
    let (head, signature) = link.rsplit_once('=').expect("a signature");
    let other = if signature.starts_with('0') { "1" } else { "0" };
    let changed = [
        path.clone(),
        format!("{path}?expires=9999999999"),
        format!("{path}?signature={signature}"),
        format!("{path}?expires=9999999999&signature={signature}"),
        format!("{path}?expires=x&signature={signature}"),
        format!("{head}={other}{}", &signature[1..]),
        format!("{head}="),
        format!("{head}={}", &signature[..62]),
        link.replace(&id.to_string(), &UploadId::new().to_string()),
        link.replace("expires=", "expires=+"),
        link.replace("expires=", "expires=0"),
        link.replace("expires=", "expires=%20"),
        format!("{head}={}", signature.to_ascii_uppercase()),
        format!("{link}&signature={signature}"),
        format!("{link}&download=1"),
        format!("{link}&"),
        link.replace('?', "?download=1&"),
    ];
    for link in changed {
        api.get(&link).await.problem(403, "link_invalid");
    }
    api.get("/v1/uploads/x/file").await.problem(400, "bad_request");
}

#[tokio::test]
async fn a_link_expires() {
    let (api, id, link) = with_file(&[]).await;
    api.context.clock.forward(Duration::from_secs(58));
    assert_eq!(api.get(&link).await.status, 200);
    api.context.clock.forward(Duration::from_secs(3));
    api.get(&link).await.problem(403, "link_expired");
    let shown = api.get(&format!("/v1/uploads/{id}")).await.json();
    let fresh: Uri = shown["download_url"].as_str().expect("a link").parse().expect("a URI");
    assert_eq!(api.get(fresh.path_and_query().expect("a path").as_str()).await.status, 200);
}

#[tokio::test]
async fn a_signed_link_needs_no_api_key() {
    let (api, _, link) = with_file(&[("ADMIN_API_KEY", "correct-horse-battery")]).await;
    assert_eq!(api.get(&link).await.status, 200);
}

#[tokio::test]
async fn a_signed_link_to_a_missing_file_is_404() {
    let (api, id, link_of_file) = with_file(&[]).await;
    let gone = UploadId::new();
    let expires = api.context.clock.now() + Duration::from_secs(60);
    api.get(&link(&api, gone, expires)).await.problem(404, "not_found");
    api.context.storage.delete(&format!("uploads/{id}")).await.expect("deleted");
    api.get(&link_of_file).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_client_that_stops_reading_is_disconnected() {
    let limits = Limits { send_stall: STALL, ..Limits::default() };
    let mut api = TestApi::with_limits(&[], limits).await;
    // Far more than the buffers of a connection hold.
    let id = upload(&api, &vec![b'x'; 32 * 1_024 * 1_024]).await;
    let link = link(&api, id, api.context.clock.now() + Duration::from_secs(60));
    let mut stalled = api.connect().await;
    stalled.write_all(&api.request("GET", &link, &[], b"")).await.expect("sent");
    stalled.readable().await.expect("the answer begins");
    api.stop.cancel();
    timeout(PATIENCE, &mut api.running).await.expect("the stop is not held up").expect("ends in order");
}
