//! `CORS_ORIGINS`: which pages may read answers and write, at which API, by each value of the setting.

use serde_json::json;

use crate::harness::{Answer, TestApi};

const KEY: &str = "correct-horse-battery";
const PAGE: &str = "https://app.example.org";
const OTHER: &str = "https://other.example.org";

const ALLOWED: &str = "access-control-allow-origin";

async fn preflight(api: &TestApi, path: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-api-key"),
    ];
    api.send("OPTIONS", path, &headers, b"").await
}

async fn read(api: &TestApi, path: &str, origin: &str) -> Answer {
    api.send("GET", path, &[("origin", origin)], b"").await
}

async fn written(api: &TestApi, path: &str, origin: &str) -> u16 {
    api.send("POST", path, &[("origin", origin), ("content-type", "application/json")], b"{}").await.status
}

/// The preflight is granted, to this origin and with these methods.
#[track_caller]
fn granted(answer: &Answer, origin: &str, methods: &str) {
    assert_eq!((answer.status, answer.body.len()), (204, 0), "{answer:?}");
    assert_eq!(answer.header(ALLOWED), Some(origin), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-methods"), Some(methods), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type,x-api-key"), "{answer:?}");
    assert_eq!(answer.header("access-control-max-age"), Some("600"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), None, "{answer:?}");
}

/// The response permits no page to read it.
#[track_caller]
fn silent(answer: &Answer, status: u16) {
    assert_eq!((answer.status, answer.header(ALLOWED)), (status, None), "{answer:?}");
}

#[track_caller]
fn readable(answer: &Answer, status: u16, origin: &str) {
    assert_eq!((answer.status, answer.header(ALLOWED)), (status, Some(origin)), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), None, "{answer:?}");
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("retry-after, x-request-id"),
        "{answer:?}"
    );
    assert!(answer.headers("vary").any(|value| value == "origin"), "{answer:?}");
}

const ALL: &str = "GET, HEAD, POST, PATCH, DELETE";
const READS: &str = "GET, HEAD";

#[tokio::test]
async fn by_default_every_origin_may_use_the_notifications_api_only() {
    let api = TestApi::start().await;
    for path in ["/api/push/subscribe", "/api/notify", "/webhook/update"] {
        granted(&preflight(&api, path, PAGE).await, "*", ALL);
    }
    readable(&read(&api, "/api/stats", PAGE).await, 200, "*");
    readable(&read(&api, "/api/nowhere", "null").await, 404, "*");
    assert_ne!(written(&api, "/webhook/update", PAGE).await, 403);
    for path in ["/v1/notices", "/webhook/register", "/messages", "/", "/apiary"] {
        silent(&preflight(&api, path, PAGE).await, 403);
        let answer = read(&api, path, PAGE).await;
        assert_eq!(answer.header(ALLOWED), None, "{answer:?}");
        assert!(answer.headers("vary").all(|value| value != "origin"), "{answer:?}");
    }
    assert_eq!(written(&api, "/v1/notices", PAGE).await, 403);
}

#[tokio::test]
async fn listed_origins_may_use_every_api_and_others_none() {
    let api = TestApi::with(&[("CORS_ORIGINS", &format!("{PAGE}, http://localhost:3000"))]).await;
    for path in ["/api/push/subscribe", "/v1/notices", "/webhook/register"] {
        granted(&preflight(&api, path, PAGE).await, PAGE, ALL);
        granted(&preflight(&api, path, "http://localhost:3000").await, "http://localhost:3000", ALL);
        silent(&preflight(&api, path, OTHER).await, 403);
        assert_eq!(written(&api, path, OTHER).await, 403, "{path}");
        assert_ne!(written(&api, path, PAGE).await, 403, "{path}");
    }
    for path in ["/api/stats", "/v1/notices", "/event_type", "/"] {
        readable(&read(&api, path, PAGE).await, 200, PAGE);
        let other = read(&api, path, OTHER).await;
        silent(&other, 200);
        // What a cache keeps for one page must not be shown to another.
        assert!(other.headers("vary").any(|value| value == "origin"), "{other:?}");
        assert!(api.get(path).await.headers("vary").any(|value| value == "origin"), "{path}");
    }
}

#[tokio::test]
async fn a_wildcard_origin_may_write_where_a_key_is_required() {
    let api = TestApi::with(&[("CORS_ORIGINS", "*")]).await;
    granted(&preflight(&api, "/webhook/update", PAGE).await, "*", ALL);
    granted(&preflight(&api, "/v1/notices", PAGE).await, "*", READS);
    readable(&read(&api, "/v1/notices", PAGE).await, 200, "*");
    assert_ne!(written(&api, "/webhook/update", PAGE).await, 403);
    assert_eq!(written(&api, "/v1/notices", PAGE).await, 403);

    let keyed = TestApi::with(&[("CORS_ORIGINS", "*"), ("ADMIN_API_KEY", KEY)]).await;
    granted(&preflight(&keyed, "/v1/notices", PAGE).await, "*", ALL);
    readable(&read(&keyed, "/v1/notices", PAGE).await, 401, "*");
    let headers = [("origin", PAGE), ("x-api-key", KEY), ("content-type", "application/json")];
    let answer = keyed.send("POST", "/v1/notices", &headers, b"{}").await;
    readable(&answer, 422, "*");
}

#[tokio::test]
async fn without_allowed_origins_no_page_reads_or_writes() {
    let api = TestApi::with(&[("CORS_ORIGINS", "[]"), ("PUBLIC_URL", "https://hooks.example.org")]).await;
    for path in ["/api/push/subscribe", "/webhook/update", "/v1/notices"] {
        silent(&preflight(&api, path, PAGE).await, 403);
        assert_eq!(written(&api, path, PAGE).await, 403, "{path}");
        assert_ne!(written(&api, path, "https://hooks.example.org").await, 403, "{path}: its own page");
    }
    silent(&read(&api, "/api/stats", PAGE).await, 200);
    let reply = api.send("POST", "/webhook/update", &[("origin", PAGE)], b"").await;
    assert_eq!(reply.json(), json!({"detail": "Cross-site request blocked"}));
}

#[tokio::test]
async fn a_preflight_needs_no_key_and_only_a_preflight_is_answered() {
    let api = TestApi::with(&[("CORS_ORIGINS", PAGE), ("ADMIN_API_KEY", KEY)]).await;
    granted(&preflight(&api, "/v1/notices", PAGE).await, PAGE, ALL);
    granted(&preflight(&api, "/nowhere", PAGE).await, PAGE, ALL);
    let bare = api.send("OPTIONS", "/v1/notices", &[("origin", PAGE)], b"").await;
    readable(&bare, 405, PAGE);
    let no_page = api.send("OPTIONS", "/v1/notices", &[("access-control-request-method", "POST")], b"").await;
    silent(&no_page, 405);
    let twice = [("origin", PAGE), ("origin", PAGE), ("access-control-request-method", "POST")];
    silent(&api.send("OPTIONS", "/v1/notices", &twice, b"").await, 403);
}
