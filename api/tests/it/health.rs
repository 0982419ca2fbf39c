//! The start page and health.

use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::harness::{Answer, TestApi};

#[tokio::test]
async fn programs_get_json() {
    let api = TestApi::start().await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(api.get("/").await.json(), json!({"status": "ok", "version": version}));
    assert_eq!(api.get("/health").await.json(), json!({"status": "healthy", "version": version}));
    assert_eq!(api.get("/health/live").await.json(), json!({"status": "ok"}));
    assert_eq!(api.get("/health/ready").await.json(), json!({"status": "ready"}));
}

#[tokio::test]
async fn http_1_0_probes_need_no_host_and_http_1_1_requires_one() {
    let api = TestApi::start().await;
    for (line, status) in [
        ("GET /health HTTP/1.0", 200),
        ("GET /health/ready HTTP/1.0", 200),
        ("GET /metrics HTTP/1.0", 200),
        ("GET /event_type HTTP/1.0", 403),
        ("GET /health HTTP/1.1", 400),
    ] {
        let mut probe = api.connect().await;
        probe.write_all(format!("{line}\r\nconnection: close\r\n\r\n").as_bytes()).await.expect("sent");
        assert_eq!(Answer::read(probe).await.status, status, "{line}");
    }
}

#[tokio::test]
async fn browsers_get_a_page_without_scripts() {
    let api = TestApi::start().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let answer = api.send("GET", "/", &[("accept", browser)], b"").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(
        answer
            .header("content-security-policy")
            .is_some_and(|policy| policy.starts_with("default-src 'none'"))
    );
    let page = answer.text();
    assert!(
        page.contains("http://127.0.0.1:5555/") && page.contains("/event_type") && !page.contains("<script")
    );
    for other in ["*/*", "application/json", "application/json, text/html"] {
        assert!(api.send("GET", "/", &[("accept", other)], b"").await.json()["status"] == "ok", "{other}");
    }
}

#[tokio::test]
async fn without_its_database_a_process_is_live_but_not_ready() {
    let api = TestApi::start().await;
    api.context.database.close().await;
    let answer = api.get("/health/ready").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json(), json!({"status": "not ready", "reason": "the database does not answer"}));
    assert_eq!(api.get("/health/live").await.status, 200);
}
