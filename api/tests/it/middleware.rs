//! What every request meets: shapes of errors, request ids, metrics, bounds.

use std::time::Duration;

use api::Limits;
use tokio::io::AsyncWriteExt;

use crate::harness::{Answer, PATIENCE, TestApi};

#[tokio::test]
async fn no_error_of_the_framework_leaves_as_plain_text() {
    let api = TestApi::start().await;
    for path in ["/event_type/x", "/webhook/register/x", "/upload_file", "/upload_file/webhook_id/"] {
        api.get(path).await.refused(404);
    }
    for (method, path, allowed) in [
        ("POST", "/event_type", "GET,HEAD"),
        ("GET", "/webhook/register", "POST"),
        ("DELETE", "/upload_file/webhook_id/x", "POST"),
    ] {
        let answer = api.send(method, path, &[], b"").await;
        answer.refused(405);
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
    }
    for path in ["/v1", "/v1/", "/v1/nothing"] {
        api.get(path).await.problem(404, "not_found");
    }
    api.send("DELETE", "/v1/errors", &[], b"").await.problem(405, "method_not_allowed");
    for (method, path, status) in [("GET", "/nothing", 404), ("PUT", "/health", 405), ("GET", "/%ff%00", 404)]
    {
        let answer = api.send(method, path, &[], b"").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some("application/json")),
            "{path}"
        );
        assert_eq!(
            answer.json().as_object().map(|reply| reply.keys().cloned().collect()),
            Some(vec!["detail".to_owned()])
        );
    }
}

#[tokio::test]
async fn a_request_id_is_accepted_and_returned() {
    let api = TestApi::start().await;
    for path in ["/event_type", "/nothing", "/v1/nothing", "/health"] {
        let answer = api.send("GET", path, &[("x-request-id", "my-id_1")], b"").await;
        assert_eq!(answer.header("x-request-id"), Some("my-id_1"), "{path}");
        let made = api.get(path).await;
        let made = made.header("x-request-id").expect("an id");
        assert_eq!(made.len(), 36, "{made}");
    }
    let long = "x".repeat(129);
    let answer = api.send("GET", "/health", &[("x-request-id", &long)], b"").await;
    assert_ne!(answer.header("x-request-id"), Some(long.as_str()));
    let reply = api.send("GET", "/v1/nothing", &[("x-request-id", "my-id_2")], b"").await;
    assert_eq!(reply.problem(404, "not_found")["request_id"], "my-id_2");
}

#[tokio::test]
async fn requests_are_counted_by_pattern_and_never_by_path() {
    let api = TestApi::start().await;
    api.get("/v1/uploads/441a53ea-93d1-4a87-9b99-ac20616458c3").await.problem(404, "not_found");
    api.get("/secret-path").await;
    let answer = api.get("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let metrics = answer.text();
    assert!(metrics.contains(r#"http_requests_total{path="/v1/uploads/{id}",status="404"}"#), "{metrics}");
    assert!(metrics.contains(r#"http_requests_total{path="unmatched",status="404"}"#));
    assert!(metrics.contains("request_latency_ms{quantile="));
    assert!(!metrics.contains("441a53ea") && !metrics.contains("secret-path"));
}

#[tokio::test]
async fn requests_over_the_limit_are_rejected_and_health_checks_are_not() {
    let limits = Limits { in_flight: 1, ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    let mut waiting = api.connect().await;
    let headers = [("content-type", "application/json"), ("content-length", "2"), ("expect", "100-continue")];
    waiting.write_all(&api.request("POST", "/webhook/register", &headers, b"")).await.expect("sent");
    // The word to go on says that the first is under way.
    waiting.readable().await.expect("an answer");
    let refused = api.get("/event_type").await;
    refused.refused(503);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(api.get("/health/live").await.status, 200);
    waiting.write_all(b"{}").await.expect("sent");
    Answer::read(waiting).await.refused(400);
    assert_eq!(api.get("/event_type").await.status, 200);
}

#[tokio::test]
async fn requests_without_a_key_are_limited_per_address() {
    const KEY: &str = "a-key-of-16-characters";
    let limits = Limits { in_flight_of_address: 2, stall: PATIENCE, ..Limits::default() };
    let api = TestApi::with_limits(&[("ADMIN_API_KEY", KEY)], limits).await;
    let zeros = "0".repeat(64);
    let headers = [("x-signature", zeros.as_str()), ("content-length", "2"), ("expect", "100-continue")];
    let mut strangers = vec![];
    for _ in 0..2 {
        let mut stranger = api.connect().await;
        stranger.write_all(&api.request("POST", "/webhook", &headers, b"")).await.expect("sent");
        stranger.readable().await.expect("the word to go on");
        strangers.push(stranger);
    }
    let refused = api.get("/api/push/vapid-key").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")), "{refused:?}");
    assert_eq!(api.get("/health/live").await.status, 200);
    assert_eq!(api.send("GET", "/event_type", &[("x-api-key", KEY)], b"").await.status, 200);
    for mut stranger in strangers {
        stranger.write_all(b"{}").await.expect("sent");
        Answer::read(stranger).await;
    }
    assert_ne!(api.get("/api/push/vapid-key").await.status, 429);
}

#[tokio::test]
async fn uploads_over_the_limit_are_rejected() {
    let api = TestApi::with_limits(&[], Limits { uploads: 0, ..Limits::default() }).await;
    let webhook = api.webhook().await;
    api.upload(&webhook, "b", b"--b--").await.refused(503);
}

#[tokio::test]
async fn an_upload_that_takes_too_long_is_aborted() {
    let limits = Limits { upload: Duration::from_millis(100), stall: PATIENCE, ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    let path = format!("/upload_file/webhook_id/{}", api.webhook().await);
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("content-length", "100")];
    api.send("POST", &path, &headers, b"--b").await.refused(408);
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_aborted() {
    let limits = Limits { request: Duration::from_millis(100), stall: PATIENCE, ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    let headers = [("content-type", "application/json"), ("content-length", "100")];
    api.send("POST", "/webhook/register", &headers, b"{").await.refused(503);
}

#[tokio::test]
async fn a_body_that_arrives_too_slowly_is_408() {
    let limits = Limits { body: Duration::from_millis(100), stall: PATIENCE, ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    let headers = [("content-type", "application/json"), ("content-length", "100")];
    api.send("POST", "/webhook/register", &headers, b"{").await.refused(408);
}

#[tokio::test]
async fn a_connection_that_is_not_http_does_not_affect_the_next() {
    let api = TestApi::start().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01"[..], b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n\0\0\0\0\r\n\r\n"]
    {
        let mut stream = api.connect().await;
        stream.write_all(bytes).await.expect("sent");
        stream.shutdown().await.expect("half closed");
    }
    let twice = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\nGET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let both = api.raw(twice).await;
    assert!(both.status == 200 && both.text().contains("HTTP/1.1 200"), "{both:?}");
}
