//! What the pages show of real rows.

mod harness;

use axum::http::{Request, StatusCode};
use domain::clock::Millis;
use entity::{attempt, delivery, endpoint, error_log, event, process, upload};
use harness::{TestDashboard, rows};
use uuid::Uuid;

async fn endpoint(app: &TestDashboard, url: &str) -> endpoint::Model {
    let endpoint = rows::endpoint(url, app.context.clock.now());
    rows::insert(app.db(), rows::lane(&endpoint)).await.expect("a lane");
    rows::insert(app.db(), endpoint.clone()).await.expect("an endpoint");
    endpoint
}

async fn event(app: &TestDashboard, change: impl FnOnce(&mut event::Model)) -> event::Model {
    let mut event = rows::event("upload file", r#"{"data":{}}"#, app.context.clock.now());
    change(&mut event);
    rows::insert(app.db(), event.clone()).await.expect("an event");
    event
}

#[tokio::test]
async fn a_newcomer_is_told_what_to_type() {
    let app = TestDashboard::with(&[("PUBLIC_URL", "http://hooks.example.com:9000/base")]).await;
    let page = app.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    page.shows("http://hooks.example.com:9000/base/webhook/register")
        .shows("upload_file/webhook_id/&lt;id&gt;")
        .shows("21f8e1f7-4142-42f9-ac30-74961702b2eb")
        .shows("No worker is registered.")
        .hides("X-API-Key");
}

#[tokio::test]
async fn deliveries_under_way_and_finished_stand_in_one_list_newest_first() {
    let app = TestDashboard::open().await;
    let endpoint = endpoint(&app, "https://example.com/hook").await;
    let first = event(&app, |event| event.event_type = "first".to_owned()).await;
    let done = delivery::Model { attempts: 1, ..rows::delivery(&first, &endpoint) };
    rows::insert(app.db(), rows::answered(done.id, 1, 200, app.context.clock.now()))
        .await
        .expect("an attempt");
    rows::insert(app.db(), rows::finished(done.clone(), "succeeded", None)).await.expect("finished");
    let second = event(&app, |event| event.event_type = "second".to_owned()).await;
    let open = rows::delivery(&second, &endpoint);
    rows::insert(app.db(), open.clone()).await.expect("a delivery");

    let page = app.get("/").await;
    page.shows("Succeeded").shows("Pending").shows("https://example.com/hook");
    let at = |id: Uuid| page.text.find(&id.to_string()).expect("on the page");
    assert!(at(open.id) < at(done.id), "newest first");
    let counters = app.get("/fragments/counters").await;
    counters.shows("Accepted: 2, Delivered: 1, Due now: 1, In flight: 0, Failing: 0, Dead letters: 0");
}

#[tokio::test]
async fn names_with_slashes_markup_and_numbers_beyond_a_scripts_reach_survive() {
    let app = TestDashboard::open().await;
    let endpoint = endpoint(&app, "https://example.com/a/b?c=<script>alert(1)</script>").await;
    let body = r#"{"type":"a/b<i>","data":{"n":9007199254740993,"big":123456789012345678901234567890}}"#;
    let event = event(&app, |event| {
        event.event_type = "a/b<i>".to_owned();
        event.user_id = Some(9_007_199_254_740_993);
        event.body = body.as_bytes().to_vec();
    })
    .await;
    let open = rows::delivery(&event, &endpoint);
    rows::insert(app.db(), open.clone()).await.expect("a delivery");
    for path in ["/".to_owned(), format!("/deliveries/{}", open.id)] {
        let page = app.get(&path).await;
        page.shows("a/b&#60;i&#62;")
            .shows("9007199254740993")
            .shows("c=&#60;script&#62;")
            .hides("<script>alert");
    }
    app.get(&format!("/deliveries/{}", open.id)).await.shows("123456789012345678901234567890");
}

#[tokio::test]
async fn a_deliverys_page_says_why_and_shows_every_attempt() {
    let app = TestDashboard::open().await;
    let now = app.context.clock.now();
    let endpoint = endpoint(&app, "https://example.com/hook").await;
    let event = event(&app, |_| ()).await;
    let open = delivery::Model {
        position: 2,
        attempts: 2,
        due_at: now.0 + 301_000,
        ..rows::delivery(&event, &endpoint)
    };
    rows::insert(app.db(), open.clone()).await.expect("a delivery");
    let odd_body = attempt::Model {
        response_body: Some(b"<h1>oops</h1>".to_vec()),
        response_headers: Some(r#"{"set-cookie":"very-secret","server":"odd <server>"}"#.to_owned()),
        ..rows::answered(open.id, 1, 500, now)
    };
    rows::insert(app.db(), odd_body).await.expect("an attempt");
    rows::insert(app.db(), rows::unanswered(open.id, 2, "refused", "nothing listens there", now))
        .await
        .expect("an attempt");

    let page = app.get(&format!("/deliveries/{}", open.id)).await;
    page.shows("Attempt 2 of 10 failed: nothing listens there. The next attempt is due in 5 min.")
        .shows("Failing")
        .shows("&#60;h1&#62;oops&#60;/h1&#62;")
        .shows("odd &#60;server&#62;")
        .shows("1.2 ms")
        .hides("very-secret")
        .hides("super-secret-token");
    assert!(page.text.find("#2") < page.text.find("#1"), "newest first");
    let fragment = app.get(&format!("/fragments/delivery/{}", open.id)).await;
    fragment.shows("<article id=\"delivery\"").hides("<html");
}

#[tokio::test]
async fn a_held_delivery_is_called_so_and_is_not_due() {
    let app = TestDashboard::open().await;
    let endpoint = rows::endpoint("https://example.com/hook", app.context.clock.now());
    let lane = entity::lane::Model { state: "paused".to_owned(), ..rows::lane(&endpoint) };
    rows::insert(app.db(), lane).await.expect("a lane");
    rows::insert(app.db(), endpoint.clone()).await.expect("an endpoint");
    let event = event(&app, |_| ()).await;
    rows::insert(app.db(), rows::delivery(&event, &endpoint)).await.expect("a delivery");
    app.get("/").await.shows("Held").shows("1 held").shows("Due now: 0");
}

#[tokio::test]
async fn a_worker_that_is_not_seen_for_fifteen_seconds_is_shown_as_lost() {
    let app = TestDashboard::open().await;
    let now = app.context.clock.now();
    let lost =
        process::Model { name: "silent".to_owned(), ..rows::worker("silent", 0, Millis(now.0 - 16_000)) };
    rows::insert(app.db(), lost).await.expect("a process");
    let endpoint = endpoint(&app, "https://example.com/hook").await;
    let event = event(&app, |_| ()).await;
    rows::insert(app.db(), rows::delivery(&event, &endpoint)).await.expect("a delivery");
    app.get("/").await.shows("silent").shows("Lost").shows("Deliveries are due and no worker is running.");
}

#[tokio::test]
async fn errors_go_page_by_page_and_lead_to_what_failed() {
    let app = TestDashboard::open().await;
    let now = app.context.clock.now();
    let delivery = Uuid::now_v7();
    for n in 0..51 {
        let row =
            rows::error(delivery, &format!("failure <{n}>"), n, None, Millis(now.0 - 1_000 + i64::from(n)));
        rows::insert(app.db(), row).await.expect("an error");
    }
    let upload = Uuid::now_v7();
    let row = error_log::Model {
        kind: "upload".to_owned(),
        subject_id: upload,
        ..rows::error(upload, "not an image", 1, None, now)
    };
    rows::insert(app.db(), row).await.expect("an error");

    let first = app.get("/errors").await;
    first.shows(&format!("/uploads/{upload}")).shows("failure &#60;50&#62;").hides("failure &#60;1&#62;");
    let older =
        first.text.split("/errors?before=").nth(1).and_then(|rest| rest.split('"').next()).expect("a link");
    let second = app.get(&format!("/errors?before={older}")).await;
    second
        .shows("failure &#60;1&#62;")
        .shows("failure &#60;0&#62;")
        .hides("failure &#60;2&#62;")
        .hides("Older");
    assert_eq!(app.get("/errors?before=x").await.status, StatusCode::BAD_REQUEST);
    app.get(&format!("/errors?before={}", Uuid::nil())).await.shows("No older errors.");
}

#[tokio::test]
async fn an_uploads_page_shows_what_was_found_out() {
    let app = TestDashboard::open().await;
    let endpoint = endpoint(&app, "https://example.com/hook").await;
    let row = upload::Model {
        state: "failed".to_owned(),
        reason: Some("it is a bomb".to_owned()),
        ..rows::upload(&endpoint, "a/b<c>.zip", app.context.clock.now())
    };
    rows::insert(app.db(), row.clone()).await.expect("an upload");
    let page = app.get(&format!("/uploads/{}", row.id)).await;
    page.shows("a/b&#60;c&#62;.zip")
        .shows("it is a bomb")
        .shows("Failed")
        .shows("470.8 KiB")
        .shows("&#34;width&#34;: 1920");
}

#[tokio::test]
async fn what_is_not_there_is_a_page_too() {
    let app = TestDashboard::open().await;
    for path in ["/nope", "/deliveries/nope", "/uploads/1", &format!("/deliveries/{}", Uuid::now_v7())] {
        let page = app.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        page.shows("Nothing here").shows("<html");
    }
    let fragment = app.ask(Request::get("/fragments/delivery/1").header("hx-request", "true")).await;
    assert_eq!((fragment.status, fragment.header("hx-reswap")), (StatusCode::NOT_FOUND, "none"));
    assert_eq!(fragment.text, "");
    let wrong_method = app.post("/errors", "").await;
    assert_eq!(wrong_method.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_database_that_is_away_is_said_in_words() {
    let app = TestDashboard::open().await;
    app.context.database.close().await;
    let page = app.get("/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    page.shows("The database does not answer");
    let fragment = app.ask(Request::get("/fragments/counters").header("hx-request", "true")).await;
    assert_eq!((fragment.status, fragment.header("hx-reswap")), (StatusCode::SERVICE_UNAVAILABLE, "none"));
}
