//! What the preview shows: a busy afternoon with one receiver that is down.

use std::time::Duration;

use domain::clock::Millis;
use entity::{delivery, endpoint, event};
use platform::context::Context;
use sea_orm::{DatabaseConnection, DbErr};

use crate::rows;

const GOOD: &str = "https://api.example.com/hooks/invoices";
const DOWN: &str = "https://staging.partner-shop.example/integrations/hookyard/v2/callback?tenant=42";
const PAUSED: &str = "https://hooks.example.org/paused";
const BODY: &str = r#"{"type":"upload file","timestamp":"2026-11-21T10:00:00.123Z","data":{"upload_id":"UPLOAD","webhook_id":"01935a7e-1111-7000-8000-000000000001","user_id":9007199254740993,"status":"processed","reason":null,"file_name":"invoices/2026 <March>.png","size_bytes":482113,"sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","media_type":"image/png","facts":{"kind":"image","width":1920,"height":1080},"download_url":"http://127.0.0.1:8081/v1/uploads/01935a7e/file?expires=1763892000&signature=…"}}"#;

struct Garden<'a> {
    db: &'a DatabaseConnection,
    good: endpoint::Model,
    down: endpoint::Model,
    paused: endpoint::Model,
}

/// Plants the past.
pub async fn plant(context: &Context) -> Result<(), DbErr> {
    let db = context.database.writer();
    let now = context.clock.now();
    let garden = Garden::lay_out(db, ago(now, 86_000)).await?;
    for second in (1..280).rev() {
        garden.second(now, second).await?;
    }
    garden.failures(now).await?;
    rows::insert(db, rows::worker("worker-7c9f4d-x2lqp:1", 12, now)).await?;
    rows::insert(db, rows::worker("worker-7c9f4d-8mzkt:1", 9, ago(now, 3))).await?;
    rows::insert(db, rows::worker("worker-7c9f4d-old44:1", 3, ago(now, 140))).await
}

/// Adds a few deliveries every second, until the process ends.
pub async fn keep_growing(context: Context) {
    let db = context.database.writer();
    let now = context.clock.now();
    let Ok(garden) = Garden::lay_out(db, now).await else {
        return;
    };
    let mut beat = tokio::time::interval(Duration::from_millis(700));
    loop {
        beat.tick().await;
        if let Err(error) = garden.second(context.clock.now(), 0).await {
            eprintln!("the preview stopped growing: {error}");
            return;
        }
    }
}

fn ago(now: Millis, seconds: i64) -> Millis {
    Millis(now.0 - seconds * 1_000)
}

impl<'a> Garden<'a> {
    async fn lay_out(db: &'a DatabaseConnection, at: Millis) -> Result<Self, DbErr> {
        let [good, down, paused] = [GOOD, DOWN, PAUSED].map(|url| rows::endpoint(url, at));
        for endpoint in [&good, &down, &paused] {
            let mut lane = rows::lane(endpoint);
            if endpoint.url == PAUSED {
                lane.state = "paused".to_owned();
            }
            rows::insert(db, lane).await?;
            rows::insert(db, endpoint.clone()).await?;
        }
        Ok(Self { db, good, down, paused })
    }

    /// What came in and went out in one second, `back` seconds ago.
    async fn second(&self, now: Millis, back: i64) -> Result<(), DbErr> {
        let wave = (f64::from(i32::try_from(back).unwrap_or(0)) / 23.0).sin();
        #[expect(clippy::cast_possible_truncation, reason = "a small number")]
        let deliveries = (5.0 + 3.5 * wave) as i64 + (back * 7_919 % 13) % 3;
        for n in 0..deliveries.max(1) {
            let at = Millis(ago(now, back).0 + n * 31);
            let event = self.event(at).await?;
            let delivery = delivery::Model { attempts: 1, ..rows::delivery(&event, &self.good) };
            rows::insert(self.db, rows::answered(delivery.id, 1, 200, at)).await?;
            rows::insert(self.db, rows::finished(delivery, "succeeded", None)).await?;
        }
        if back % 11 == 3 {
            let event = self.event(ago(now, back)).await?;
            let delivery = rows::delivery(&event, &self.down);
            rows::insert(self.db, rows::answered(delivery.id, 1, 503, ago(now, back))).await?;
            let due_at = ago(now, back - 300).0;
            rows::insert(self.db, delivery::Model { attempts: 1, position: 1, due_at, ..delivery }).await?;
        }
        Ok(())
    }

    async fn event(&self, at: Millis) -> Result<event::Model, DbErr> {
        let upload = rows::upload(&self.good, "invoices/2026 <March>.png", at);
        let kind = if at.0 % 3 == 0 { "message.received" } else { "upload file" };
        let mut event = rows::event(kind, &BODY.replace("UPLOAD", &upload.id.to_string()), at);
        event.user_id = Some(if at.0 % 5 == 0 { 9_007_199_254_740_993 } else { at.0 % 7 });
        rows::insert(self.db, upload).await?;
        rows::insert(self.db, event.clone()).await?;
        Ok(event)
    }

    /// One of each kind that needs a look.
    async fn failures(&self, now: Millis) -> Result<(), DbErr> {
        let (failing, held) =
            (self.event(Millis(now.0 - 700)).await?, self.event(Millis(now.0 - 650)).await?);
        let failing = rows::delivery(&failing, &self.down);
        for (number, back) in [(1, 410), (2, 400)] {
            rows::insert(self.db, rows::answered(failing.id, number, 503, ago(now, back))).await?;
        }
        let timeout = "no connection within 5 s";
        let last = rows::unanswered(failing.id, 3, "connect_timeout", timeout, ago(now, 90));
        rows::insert(self.db, last).await?;
        let due = Millis(now.0 + 262_000);
        for (number, message) in [(2, "the receiver answered 503"), (3, timeout)] {
            rows::insert(
                self.db,
                rows::error(failing.id, message, number, Some(due), ago(now, 95 - i64::from(number))),
            )
            .await?;
        }
        rows::insert(self.db, delivery::Model { attempts: 3, position: 3, due_at: due.0, ..failing }).await?;
        rows::insert(self.db, rows::delivery(&held, &self.paused)).await?;
        let dead = self.event(Millis(now.0 - 690)).await?;
        let dead = delivery::Model { attempts: 10, position: 9, ..rows::delivery(&dead, &self.down) };
        for number in 1..=10 {
            let at = ago(now, 60 - i64::from(number));
            rows::insert(self.db, rows::answered(dead.id, number, 500, at)).await?;
        }
        let message = "the receiver answered 500; the schedule is spent";
        rows::insert(self.db, rows::error(dead.id, message, 10, None, ago(now, 50))).await?;
        rows::insert(self.db, rows::finished(dead, "dead", Some("schedule_spent"))).await?;
        let sending = self.event(now).await?;
        let lease_until = now.0 + 45_000;
        rows::insert(
            self.db,
            delivery::Model { lease_until, claim: 1, ..rows::delivery(&sending, &self.good) },
        )
        .await
    }
}
