//! Who gets in, and with which headers everything goes out.

mod harness;

use axum::{
    body::Body,
    http::{Request, StatusCode, Version},
};
use harness::{KEY, Page, TestDashboard};

fn form(key: &str, next: &str) -> String {
    format!("key={key}&next={next}")
}

async fn log_in(app: &TestDashboard) -> String {
    let answer = app.post("/login", &form(KEY, "")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

async fn with_cookie(app: &TestDashboard, path: &str, cookie: &str) -> Page {
    app.ask(Request::get(path).header("cookie", cookie)).await
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_login() {
    let app = TestDashboard::locked().await;
    for (path, login) in [
        ("/", "/login"),
        ("/errors?before=1", "/login?next=%2Ferrors%3Fbefore%3D1"),
        ("/deliveries/x", "/login?next=%2Fdeliveries%2Fx"),
        ("/uploads/x", "/login?next=%2Fuploads%2Fx"),
        ("/live", "/login"),
        ("/fragments/counters", "/login"),
    ] {
        let page = app.get(path).await;
        assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, login), "{path}");
    }
    let login = app.get("/login").await;
    assert_eq!(login.status, StatusCode::OK);
    login.shows("ADMIN_API_KEY").hides("Log out").hides("/errors");
}

#[tokio::test]
async fn a_fragment_without_a_session_leads_its_page_to_the_login() {
    let app = TestDashboard::locked().await;
    let request = Request::get("/fragments/counters")
        .header("hx-request", "true")
        .header("hx-current-url", "http://127.0.0.1:5555/deliveries/1");
    let answer = app.ask(request).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("hx-redirect"), "/login?next=%2Fdeliveries%2F1");
}

#[tokio::test]
async fn the_key_opens_a_session_that_a_logout_ends() {
    let app = TestDashboard::locked().await;
    let answer = app.post("/login", &form(KEY, "%2Ferrors")).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/errors"));
    let set = answer.header("set-cookie");
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Max-Age=43200"),
        "{set}"
    );
    assert!(!set.contains("Secure"), "PUBLIC_URL is plain HTTP: {set}");

    let cookie = log_in(&app).await;
    let page = with_cookie(&app, "/", &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    page.shows("Log out").shows("X-API-Key: $ADMIN_API_KEY").hides(KEY);
    assert_eq!(with_cookie(&app, "/login", &cookie).await.header("location"), "/");
    let out = app.post("/logout", "").await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_and_with_another_key() {
    let app = TestDashboard::locked().await;
    let cookie = log_in(&app).await;
    app.context.clock.forward(std::time::Duration::from_secs(12 * 3600 - 5));
    assert_eq!(with_cookie(&app, "/errors", &cookie).await.status, StatusCode::OK);
    app.context.clock.forward(std::time::Duration::from_secs(5));
    assert_eq!(with_cookie(&app, "/errors", &cookie).await.status, StatusCode::SEE_OTHER);
    let elsewhere = TestDashboard::with(&[("ADMIN_API_KEY", "another-long-enough-key")]).await;
    assert_eq!(with_cookie(&elsewhere, "/errors", &cookie).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_after_ten_within_a_minute_told_to_wait() {
    let app = TestDashboard::locked().await;
    for _ in 0..10 {
        let answer = app.post("/login", &form("wrong", "")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        answer.shows("That is not the key.").hides("wrong\"");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let refused = app.post("/login", &form("wrong", "")).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"));
    log_in(&app).await;
    assert_eq!(app.post("/login", &form("wrong", "")).await.status, StatusCode::UNAUTHORIZED, "forgiven");
}

#[tokio::test]
async fn a_key_of_1024_bytes_opens_the_pages_however_it_is_escaped() {
    let key = "!".repeat(1_024);
    let app = TestDashboard::with(&[("ADMIN_API_KEY", &key), ("METRICS_PUBLIC", "false")]).await;
    let next = format!("%2F{}", "%61".repeat(511));
    let answer = app.post("/login", &form(&"%21".repeat(1_024), &next)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = Request::get("/metrics").header("authorization", format!("{scheme} {key}"));
        assert_eq!(app.ask(request).await.status, StatusCode::OK, "{scheme}");
    }
    let basic = Request::get("/metrics").header("authorization", format!("Basic {key}"));
    assert_eq!(app.ask(basic).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_login_reads_forms_only_and_leads_nowhere_else() {
    let app = TestDashboard::locked().await;
    assert_eq!(app.post("/login", "nonsense").await.status, StatusCode::BAD_REQUEST);
    let long = form(&"x".repeat(9_000), "");
    assert_eq!(app.post("/login", &long).await.status, StatusCode::BAD_REQUEST);
    let answer = app.post("/login", &form(KEY, "%2F%2Fevil.example")).await;
    assert_eq!(answer.header("location"), "/");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_drive_us() {
    let app = TestDashboard::locked().await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("accept", "*/*")]
    {
        let answer = app.ask(Request::post("/logout").header(name, value)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let ours = app.ask(Request::post("/logout").header("origin", "http://127.0.0.1:5555")).await;
    assert_eq!(ours.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn without_a_key_a_rebound_name_gets_nothing_wherever_one_listens() {
    for address in ["127.0.0.1:5555", "[::ffff:127.0.0.1]:5555", "0.0.0.0:5555"] {
        let settings = [("DASHBOARD_ADDR", address), ("ALLOW_UNAUTHENTICATED", "true")];
        let app = TestDashboard::with(&settings).await;
        let rebound = app.ask(Request::get("/").header("host", "evil.example:5555")).await;
        assert_eq!(rebound.status, StatusCode::MISDIRECTED_REQUEST, "{address}");
        rebound.hides("Latest deliveries");
        for host in ["localhost:5555", "0.0.0.0:5555", "[::]:5555", "192.0.2.1:5555", "hookyard:5555"] {
            let page = app.ask(Request::get("/").header("host", host)).await;
            assert_eq!(page.status, StatusCode::OK, "{address}: {host}");
        }
    }
    let public = TestDashboard::with(&[("DASHBOARD_ADDR", "0.0.0.0:5555"), ("ADMIN_API_KEY", KEY)]).await;
    let named = public.ask(Request::get("/login").header("host", "hooks.example.com")).await;
    assert_eq!(named.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_carries_the_policy() {
    let app = TestDashboard::open().await;
    for path in ["/", "/nope", "/errors", "/fragments/counters"] {
        let page = app.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'; script-src 'self'; style-src 'self';"),
            "{path}: {policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("cache-control"), "no-store");
        for inline in
            ["<style", " style=", " onclick", " onload", "<script>", "javascript:", "hx-on", "http://cdn"]
        {
            page.hides(inline);
        }
    }
}

#[tokio::test]
async fn every_answer_carries_the_request_id() {
    let app = TestDashboard::open().await;
    for path in ["/", "/nope", "/fragments/counters", "/health/live"] {
        let page = app.ask(Request::get(path).header("x-request-id", "my-id_1")).await;
        assert_eq!(page.header("x-request-id"), "my-id_1", "{path}");
        assert_eq!(app.get(path).await.header("x-request-id").len(), 36, "{path}");
    }
}

#[tokio::test]
async fn assets_are_kept_for_good_and_change_their_name_with_their_content() {
    let app = TestDashboard::locked().await;
    let page = app.get("/login").await;
    let mut found = 0;
    for piece in page.text.split("/assets/").skip(1) {
        let name = piece.split('"').next().expect("a name");
        let asset = app.get(&format!("/assets/{name}")).await;
        assert_eq!(asset.status, StatusCode::OK, "{name}");
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(!asset.text.is_empty());
        found += 1;
    }
    assert_eq!(found, 3);
    assert_eq!(app.get("/assets/nope.js").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn machines_read_health_without_a_key_and_metrics_as_the_setting_says() {
    let app = TestDashboard::locked().await;
    assert_eq!(app.get("/health/live").await.text, r#"{"status":"ok"}"#);
    assert_eq!(app.get("/health/ready").await.text, r#"{"status":"ready"}"#);
    assert_eq!(app.get("/metrics").await.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let closed = TestDashboard::with(&[("ADMIN_API_KEY", KEY), ("METRICS_PUBLIC", "false")]).await;
    assert_eq!(closed.get("/metrics").await.status, StatusCode::UNAUTHORIZED);
    for (name, value) in [("x-api-key", KEY.to_owned()), ("authorization", format!("Bearer {KEY}"))] {
        let asked = closed.ask(Request::get("/metrics").header(name, value)).await;
        assert_eq!(asked.status, StatusCode::OK, "{name}");
    }
    let wrong = closed.ask(Request::get("/metrics").header("x-api-key", "wrong")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    closed.context.database.close().await;
    let away = closed.get("/health/ready").await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    away.shows("the database does not answer");
}

#[tokio::test]
async fn the_theme_that_a_reader_chose_is_there_from_the_first_byte() {
    let app = TestDashboard::open().await;
    with_cookie(&app, "/errors", "hookyard_theme=dark").await.shows("<html lang=\"en\" data-theme=\"dark\">");
    with_cookie(&app, "/errors", "hookyard_theme=%22onload").await.shows("<html lang=\"en\">");
}

#[tokio::test]
async fn probes_of_http_1_0_need_no_host_and_http_1_1_is_400_without() {
    let app = TestDashboard::open().await;
    for (path, version, status) in [
        ("/health/live", Version::HTTP_10, StatusCode::OK),
        ("/health/ready", Version::HTTP_10, StatusCode::OK),
        ("/metrics", Version::HTTP_10, StatusCode::OK),
        ("/", Version::HTTP_10, StatusCode::BAD_REQUEST),
        ("/health/live", Version::HTTP_11, StatusCode::BAD_REQUEST),
    ] {
        let request = Request::get(path).version(version).body(Body::empty()).expect("a request");
        assert_eq!(app.send_as_it_is(request).await.status, status, "{path} {version:?}");
    }
}
