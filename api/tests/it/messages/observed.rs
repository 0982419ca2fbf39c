//! What is counted of signed messages, and under which names; request ids; health.

use serde_json::json;

use super::with;
use crate::harness::TestApi;

/// The value of a series, 0 where there is none.
async fn value(api: &TestApi, series: &str) -> u64 {
    let answer = api.get("/metrics").await;
    let lines = answer.text().lines().filter_map(|line| line.strip_prefix(series));
    lines.filter_map(|rest| rest.trim().parse().ok()).next().unwrap_or(0)
}

async fn results(api: &TestApi) -> [u64; 4] {
    let mut values = [0; 4];
    for (n, result) in
        ["created", "duplicate", "invalid_signature", "validation_error"].into_iter().enumerate()
    {
        values[n] = value(api, &format!("webhook_requests_total{{result=\"{result}\"}}")).await;
    }
    values
}

#[tokio::test]
async fn every_result_is_counted_under_its_name() {
    let api = TestApi::start().await;
    let before = results(&api).await;
    let accepted = value(&api, "hookyard_accepted_total{kind=\"message\"}").await;
    api.taken(&with(json!({}))).await;
    api.taken(&with(json!({}))).await;
    api.taken(&with(json!({}))).await;
    assert_eq!(api.signed(b"{}", &[]).await.status, 422);
    assert_eq!(api.send("POST", "/webhook", &[], b"{}").await.status, 401);
    assert_eq!(api.signed(&vec![b' '; 1_024 * 1_024 + 1], &[]).await.status, 413);
    let after = results(&api).await;
    let grown: Vec<bool> = before
        .iter()
        .zip(after)
        .zip([1, 2, 1, 1])
        .map(|((before, after), least)| after >= before + least)
        .collect();
    assert_eq!(grown, [true; 4], "{before:?} {after:?}");
    assert!(value(&api, "hookyard_accepted_total{kind=\"message\"}").await > accepted);
}

#[tokio::test]
async fn metrics_have_the_names_and_labels_of_the_contract_and_no_raw_path() {
    let api = TestApi::start().await;
    api.taken(&with(json!({"message_id": "never-in-metrics"}))).await;
    api.get("/messages?from=%2B919876543210&limit=3").await;
    api.get("/stats").await;
    api.get("/messages/never-in-metrics").await;
    let answer = api.get("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let metrics = answer.text();
    for part in [
        "# TYPE http_requests_total counter",
        r#"http_requests_total{path="/webhook",status="200"} "#,
        r#"http_requests_total{path="/messages",status="200"} "#,
        r#"http_requests_total{path="/stats",status="200"} "#,
        r#"http_requests_total{path="unmatched",status="404"} "#,
        "# TYPE webhook_requests_total counter",
        r#"webhook_requests_total{result="created"} "#,
        "# TYPE request_latency_ms summary",
        r#"request_latency_ms{quantile="0.5"} "#,
        "request_latency_ms_count ",
    ] {
        assert!(metrics.contains(part), "{part} is not in\n{metrics}");
    }
    let words = ["created", "duplicate", "invalid_signature", "validation_error"];
    for line in metrics.lines().filter(|line| line.starts_with("webhook_requests_total{")) {
        assert!(words.iter().any(|word| line.contains(&format!("{{result=\"{word}\"}} "))), "{line}");
    }
    assert!(!metrics.contains("never-in-metrics") && !metrics.contains("919876543210"));
}

#[tokio::test]
async fn a_request_id_is_returned_with_every_status() {
    let api = TestApi::start().await;
    let id = ("x-request-id", "my-id_1");
    let body = with(json!({})).to_string();
    for answer in [
        api.signed(body.as_bytes(), &[id]).await,
        api.signed(b"{}", &[id]).await,
        api.send("POST", "/webhook", &[id], body.as_bytes()).await,
        api.send("GET", "/messages", &[id], b"").await,
        api.send("GET", "/messages?limit=x", &[id], b"").await,
        api.send("GET", "/stats", &[id], b"").await,
    ] {
        assert_eq!(answer.header("x-request-id"), Some("my-id_1"), "{answer:?}");
    }
    assert_eq!(api.ingest(&with(json!({}))).await.header("x-request-id").map(str::len), Some(36));
}

#[tokio::test]
async fn without_its_database_messages_are_503_and_readiness_is_false() {
    let api = TestApi::start().await;
    api.context.database.close().await;
    for answer in [api.ingest(&with(json!({}))).await, api.get("/messages").await, api.get("/stats").await] {
        assert_eq!((answer.status, answer.json()["detail"].is_string()), (503, true), "{answer:?}");
    }
    let ready = api.get("/health/ready").await;
    assert_eq!((ready.status, &ready.json()["status"]), (503, &json!("not ready")));
    assert_eq!(api.get("/health/live").await.json(), json!({"status": "ok"}));
}
