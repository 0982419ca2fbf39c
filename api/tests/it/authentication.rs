//! Authentication: with a key set, every route needs it but the public ones. Also Host, Origin and rate limits.

use std::time::Duration;

use api::{RouteInfo, route_list};

use crate::harness::{Answer, TestApi};

const KEY: &str = "correct-horse-battery";

/// The routes that need no key, as DESIGN §6 lists them. A new route is added here, too.
const PUBLIC: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("POST", "/webhook"),
    ("GET", "/api/push/vapid-key"),
    ("POST", "/api/push/subscribe"),
    ("POST", "/api/push/unsubscribe"),
    ("POST", "/api/push/test"),
    ("GET", "/push"),
    ("GET", "/push/"),
    ("GET", "/push/{file}"),
    ("GET", "/v1/uploads/{id}/file"),
];

fn filled(route: &RouteInfo) -> String {
    let id = "441a53ea-93d1-4a87-9b99-ac20616458c3";
    ["{id}", "{webhook_id}", "{file}"].iter().fold(route.path.to_owned(), |path, name| path.replace(name, id))
}

async fn ask(api: &TestApi, route: &RouteInfo, headers: &[(&str, &str)]) -> Answer {
    api.send(route.method, &filled(route), headers, b"").await
}

/// Whether a key is asked for. Signed ingest asks for a signature, which is another thing.
fn asks_for_a_key(answer: &Answer) -> bool {
    answer.status == 401 && answer.header("www-authenticate") == Some("Bearer")
}

#[test]
fn the_public_routes_are_exactly_the_listed_ones() {
    let public: Vec<_> =
        route_list().iter().filter(|route| route.is_public).map(|route| (route.method, route.path)).collect();
    assert_eq!(public, PUBLIC);
}

#[tokio::test]
async fn every_route_has_its_access_policy() {
    let api = TestApi::with(&[("ADMIN_API_KEY", KEY)]).await;
    for route in route_list() {
        let answer = ask(&api, &route, &[]).await;
        assert_eq!(asks_for_a_key(&answer), !route.is_public, "{route:?}: {answer:?}");
        if route.is_public {
            continue;
        }
        for wrong in
            [("x-api-key", "correct-horse-batter"), ("authorization", "Bearer x"), ("authorization", KEY)]
        {
            assert_eq!(ask(&api, &route, &[wrong]).await.status, 401, "{route:?} with {wrong:?}");
        }
        // Wrong keys are counted; a minute makes up for them.
        api.context.clock.forward(Duration::from_secs(60));
        for right in [("x-api-key", KEY), ("authorization", "Bearer correct-horse-battery")] {
            let answer = ask(&api, &route, &[right]).await;
            assert_ne!(answer.status, 401, "{route:?} with {right:?}");
        }
    }
}

#[tokio::test]
async fn without_a_configured_key_every_route_is_open() {
    let api = TestApi::start().await;
    for route in route_list() {
        assert!(!asks_for_a_key(&ask(&api, &route, &[]).await), "{route:?}");
    }
}

#[tokio::test]
async fn each_api_rejects_in_its_own_error_format() {
    let api = TestApi::with(&[("ADMIN_API_KEY", KEY)]).await;
    api.get("/event_type").await.refused(401);
    api.post_json("/webhook/register", &serde_json::json!({})).await.refused(401);
    api.send("POST", "/upload_file/webhook_id/x", &[], b"").await.refused(401);
    api.get("/v1/errors?limit=wrong").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn metrics_can_be_closed() {
    let api = TestApi::with(&[("ADMIN_API_KEY", KEY), ("METRICS_PUBLIC", "false")]).await;
    let answer = api.get("/metrics").await;
    assert_eq!((answer.status, answer.json()["detail"].is_string()), (401, true));
    assert_eq!(api.send("GET", "/metrics", &[("x-api-key", KEY)], b"").await.status, 200);
}

#[tokio::test]
async fn a_foreign_host_is_rejected_unless_a_key_is_configured() {
    let api = TestApi::with(&[("PUBLIC_URL", "https://hooks.example.org")]).await;
    let evil = [("host", "evil.test:8081")];
    api.send("GET", "/event_type", &evil, b"").await.refused(403);
    api.send("GET", "/v1/errors", &evil, b"").await.problem(403, "host_refused");
    assert_eq!(api.send("GET", "/health", &evil, b"").await.status, 403);
    for ours in [
        "localhost",
        "127.0.0.1:1",
        "[::1]:8081",
        "0.0.0.0:8081",
        "10.0.0.1",
        "api:8081",
        "hooks.example.org",
    ] {
        assert_eq!(api.send("GET", "/event_type", &[("host", ours)], b"").await.status, 200, "{ours}");
    }
    let keyed = TestApi::with(&[("ADMIN_API_KEY", KEY)]).await;
    let headers = [("host", "evil.test"), ("x-api-key", KEY)];
    assert_eq!(keyed.send("GET", "/event_type", &headers, b"").await.status, 200);
}

#[tokio::test]
async fn without_a_key_a_foreign_host_is_rejected_on_every_listener() {
    for address in ["[::ffff:127.0.0.1]:8081", "0.0.0.0:8081"] {
        let api = TestApi::with(&[("API_ADDR", address), ("ALLOW_UNAUTHENTICATED", "true")]).await;
        api.send("GET", "/event_type", &[("host", "evil.test")], b"").await.refused(403);
        assert_eq!(api.get("/event_type").await.status, 200, "{address}");
    }
}

#[tokio::test]
async fn wrong_keys_are_rate_limited_and_the_right_one_is_not() {
    let api = TestApi::with(&[("ADMIN_API_KEY", KEY)]).await;
    let by = async |key| api.send("GET", "/event_type", &[("x-api-key", key)], b"").await;
    for _ in 0..10 {
        by("wrong").await.refused(401);
    }
    let answer = by("wrong").await;
    assert!(answer.refused(429).contains("try again"), "{answer:?}");
    assert!(answer.header("retry-after").is_some_and(|seconds| ["5", "6"].contains(&seconds)), "{answer:?}");
    assert_eq!(by(KEY).await.status, 200);
    api.get("/event_type").await.refused(401);
    api.context.clock.forward(Duration::from_secs(60));
    by("wrong").await.refused(401);
}

#[tokio::test]
async fn open_routes_are_rate_limited_except_with_the_key() {
    let api = TestApi::with(&[("ADMIN_API_KEY", KEY)]).await;
    let mut slowed = None;
    for _ in 0..5_000 {
        let answer = api.get("/health/live").await;
        if answer.status != 200 {
            slowed = Some(answer);
            break;
        }
    }
    let slowed = slowed.expect("more than 50 a second were served");
    assert_eq!((slowed.status, slowed.header("retry-after")), (429, Some("1")));
    assert_eq!(api.send("GET", "/health/live", &[("x-api-key", KEY)], b"").await.status, 200);
    api.context.clock.forward(Duration::from_secs(4));
    assert_eq!(api.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn cross_site_writes_are_blocked() {
    let api = TestApi::start().await;
    let json = ("content-type", "application/json");
    let own = format!("http://{}", api.address);
    for origin in ["https://evil.test", "null", "http://127.0.0.1:1"] {
        api.send("POST", "/webhook/register", &[json, ("origin", origin)], b"{}").await.refused(403);
        assert_eq!(api.send("GET", "/event_type", &[("origin", origin)], b"").await.status, 200);
    }
    api.send("POST", "/webhook/register", &[json, ("origin", &own)], b"{}").await.refused(400);
    let keyed = TestApi::with(&[("ADMIN_API_KEY", KEY)]).await;
    let headers = [json, ("origin", "https://evil.test"), ("x-api-key", KEY)];
    keyed.send("POST", "/webhook/register", &headers, b"{}").await.refused(403);
}
