//! Every statement of the pages, on both databases: they are written once for the two.

mod harness;

use axum::http::StatusCode;
use domain::clock::Millis;
use entity::delivery;
use harness::{TestDashboard, rows};
use uuid::Uuid;

/// Longer ago than finished deliveries are kept.
const LONG_AGO_MS: i64 = 31 * 24 * 3_600_000;

struct Planted {
    open: Uuid,
    done: Uuid,
    letter: Uuid,
    upload: Uuid,
}

async fn plant(app: &TestDashboard) -> Planted {
    let (db, now) = (app.db(), app.context.clock.now());
    let endpoint = rows::endpoint("https://example.com/hook", now);
    rows::insert(db, rows::lane(&endpoint)).await.expect("a lane");
    rows::insert(db, endpoint.clone()).await.expect("an endpoint");
    let event = rows::event("upload file", r#"{"of":"the event"}"#, now);
    rows::insert(db, event.clone()).await.expect("an event");
    let open = delivery::Model { attempts: 1, due_at: now.0 - 5_000, ..rows::delivery(&event, &endpoint) };
    let own = br#"{"of":"the delivery"}"#.to_vec();
    let done = delivery::Model { attempts: 1, body: Some(own), ..rows::delivery(&event, &endpoint) };
    rows::insert(db, open.clone()).await.expect("a delivery");
    rows::insert(db, rows::answered(open.id, 1, 503, now)).await.expect("an attempt");
    rows::insert(db, rows::answered(done.id, 1, 200, Millis(now.0 - 61_000))).await.expect("an attempt");
    rows::insert(db, rows::finished(done.clone(), "dead", Some("gone"))).await.expect("a dead letter");
    rows::insert(db, rows::error(open.id, "answered 503", 1, None, now)).await.expect("an error");
    rows::insert(db, rows::worker("worker:1", 3, now)).await.expect("a worker");
    let upload = rows::upload(&endpoint, "picture.png", now);
    rows::insert(db, upload.clone()).await.expect("an upload");
    // Its event is gone with its day.
    let long_gone = rows::event("long gone", r#"{"of":"the letter"}"#, Millis(now.0 - LONG_AGO_MS));
    let letter = delivery::Model { attempts: 10, ..rows::delivery(&long_gone, &endpoint) };
    rows::insert(db, rows::dead_letter(letter.clone(), &long_gone, "schedule_spent"))
        .await
        .expect("a letter");
    Planted { open: open.id, done: done.id, letter: letter.id, upload: upload.id }
}

async fn every_page_reads(app: &TestDashboard) {
    let planted = plant(app).await;
    let overview = app.get("/").await;
    assert_eq!(overview.status, StatusCode::OK, "{}", overview.text);
    overview.shows("Failing").shows("Dead").shows("worker:1").shows("answered 503").shows("5 s ago");
    let counters = app.get("/fragments/counters").await;
    counters.shows("Accepted: 1, Delivered: 0, Due now: 1, In flight: 0, Failing: 1, Dead letters: 2");
    app.get(&format!("/deliveries/{}", planted.open)).await.shows("of&#34;: &#34;the event").shows("503");
    app.get(&format!("/deliveries/{}", planted.done))
        .await
        .shows("of&#34;: &#34;the delivery")
        .shows("410 Gone");
    let letter = app.get(&format!("/deliveries/{}", planted.letter)).await;
    assert_eq!(letter.status, StatusCode::OK, "{}", letter.text);
    letter.shows("of&#34;: &#34;the letter").shows("long gone").shows("schedule_spent");
    letter.shows("The attempts are no longer kept.").hides("No attempts yet.");
    overview.shows(&format!("/deliveries/{}", planted.letter));
    app.get(&format!("/uploads/{}", planted.upload)).await.shows("picture.png");
    app.get("/errors").await.shows("answered 503");
    let older = app.get(&format!("/errors?before={}", Uuid::max())).await;
    older.shows("answered 503");
}

#[tokio::test]
async fn every_page_reads_sqlite() {
    every_page_reads(&TestDashboard::open().await).await;
}

#[tokio::test]
async fn every_page_reads_postgres() {
    every_page_reads(&TestDashboard::on_postgres().await).await;
}
