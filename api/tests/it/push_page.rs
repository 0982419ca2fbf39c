//! `/push/`: the page and its files, as browsers ask for them.

use crate::harness::{Answer, TestApi};

const KEY: &str = "correct-horse-battery";

#[track_caller]
fn dressed(answer: &Answer, media_type: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(media_type)));
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn the_page_and_its_files_need_no_key_and_say_what_they_are() {
    let api = TestApi::with(&[("ADMIN_API_KEY", KEY)]).await;
    let page = api.get("/push/").await;
    dressed(&page, "text/html; charset=utf-8");
    assert!(page.text().contains("Notifications in this browser"));
    for (file, media_type) in [
        ("style.css", "text/css; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("sw.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("app.webmanifest", "application/manifest+json"),
    ] {
        dressed(&api.get(&format!("/push/{file}")).await, media_type);
    }
}

#[tokio::test]
async fn a_missing_slash_redirects_and_unknown_files_are_404() {
    let api = TestApi::start().await;
    let answer = api.get("/push").await;
    assert_eq!((answer.status, answer.header("location")), (308, Some("/push/")));
    for path in ["/push/nothing.js", "/push/assets/app.js", "/push/..%2fmod.rs", "/push/%2e%2e/mod.rs"] {
        let answer = api.get(path).await;
        assert_eq!((answer.status, answer.json()["detail"].is_string()), (404, true), "{path}");
    }
    let post = api.post("/push/").await;
    assert_eq!((post.status, post.header("allow")), (405, Some("GET,HEAD")));
}

#[tokio::test]
async fn a_cached_version_is_304() {
    let api = TestApi::start().await;
    let first = api.get("/push/sw.js").await;
    let version = first.header("etag").expect("a version");
    let again = api.send("GET", "/push/sw.js", &[("if-none-match", version)], b"").await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(version)));
    let other = api.send("GET", "/push/sw.js", &[("if-none-match", "\"0000000000000000\"")], b"").await;
    assert_eq!((other.status, &other.body), (200, &first.body));
    assert_ne!(api.get("/push/app.js").await.header("etag"), Some(version));
}
