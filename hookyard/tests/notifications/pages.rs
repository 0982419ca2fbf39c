//! Broadcasts at size: pages behind a cursor, each made once, whichever worker dies or joins.

use std::collections::HashSet;

use domain::{
    id::PushSubscriptionId,
    job::{Job, LEASE, Work},
};
use entity::{broadcast, delivery, push_subscription};
use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use worker::broadcasts::{Broadcaster, PAGE, claim, step};

use crate::{Fixture, fixture_on_both_shapes};

/// Makes so many subscriptions, by SQL, with the keys of one browser.
async fn browsers(fixture: &Fixture, count: usize) {
    let browser = fixture.browser().await;
    let lane = domain::notification::push_lane(&fixture.pushes.origin());
    let row = |n: usize| push_subscription::ActiveModel {
        id: Set(PushSubscriptionId::new().0),
        endpoint: Set(format!("{}/{n}", browser.endpoint())),
        lane_id: Set(lane.0),
        p256dh: Set(browser.p256dh().to_vec()),
        auth: Set(browser.auth().to_vec()),
        user_id: Set(None),
        created_at: Set(0),
        updated_at: Set(0),
        reached_at: Set(None),
    };
    let rows: Vec<_> = (1..count).map(row).collect();
    for rows in rows.chunks(1_000) {
        let insert = push_subscription::Entity::insert_many(rows.to_vec());
        insert.exec_without_returning(fixture.app.context.database.writer()).await.expect("rows");
    }
}

async fn recipients(fixture: &Fixture) -> Vec<uuid::Uuid> {
    let rows = delivery::Entity::find().all(fixture.app.context.database.reader()).await.expect("rows");
    rows.into_iter().map(|row| row.recipient_id).collect()
}

async fn broadcasts(fixture: &Fixture) -> Vec<broadcast::Model> {
    broadcast::Entity::find().all(fixture.app.context.database.reader()).await.expect("rows")
}

fixture_on_both_shapes! {
    async fn a_broadcast_is_made_in_pages_and_each_recipient_gets_one_delivery(fixture: Fixture) {
        browsers(&fixture, 2 * PAGE + 1).await;
        let response = fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        assert_eq!(response["web_push"], json!({"total": 2 * PAGE + 1, "queued": 2 * PAGE + 1}));
        assert_eq!(recipients(&fixture).await.len(), 0, "the answer does not wait for a page");
        for made in [PAGE, 2 * PAGE, 2 * PAGE + 1] {
            assert!(step(&fixture.app.context).await.expect("a page"));
            assert_eq!(recipients(&fixture).await.len(), made);
        }
        assert!(!step(&fixture.app.context).await.expect("nothing left"));
        let distinct: HashSet<_> = recipients(&fixture).await.into_iter().collect();
        assert_eq!(distinct.len(), 2 * PAGE + 1);
        let done = broadcasts(&fixture).await.remove(0);
        let made = i64::try_from(2 * PAGE + 1).expect("few");
        assert_eq!((done.state.as_str(), done.queued, done.total), ("done", made, made));
        assert!(done.finished_at.is_some());
    }

    async fn a_last_page_that_is_full_needs_another_look_and_no_more(fixture: Fixture) {
        browsers(&fixture, PAGE).await;
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        assert!(step(&fixture.app.context).await.expect("a page"));
        assert_eq!(broadcasts(&fixture).await[0].state, "running");
        assert!(step(&fixture.app.context).await.expect("an empty page"));
        assert_eq!((broadcasts(&fixture).await[0].state.as_str(), recipients(&fixture).await.len()), ("done", PAGE));
    }

    async fn many_workers_and_two_broadcasts_make_each_page_once(fixture: Fixture) {
        browsers(&fixture, 3 * PAGE).await;
        for message in ["one", "two"] {
            fixture.notify(json!({"message": message, "channels": ["web_push"]})).await;
        }
        let workers = (0..6).map(|_| async {
            // A locked row is skipped: a worker that finds nothing may have come too early.
            for _ in 0..20 {
                while step(&fixture.app.context).await.expect("a page") {}
            }
        });
        futures_util::future::join_all(workers).await;
        while step(&fixture.app.context).await.expect("a page") {}
        let rows = delivery::Entity::find().all(fixture.app.context.database.reader()).await.expect("rows");
        let distinct: HashSet<_> = rows.iter().map(|row| (row.event_id, row.recipient_id)).collect();
        assert_eq!((rows.len(), distinct.len()), (6 * PAGE, 6 * PAGE));
        assert!(broadcasts(&fixture).await.iter().all(|one| one.state == "done"));
    }

    async fn a_later_subscriber_is_not_notified(fixture: Fixture) {
        browsers(&fixture, 2).await;
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        fixture.browser().await;
        while step(&fixture.app.context).await.expect("a page") {}
        assert_eq!(recipients(&fixture).await.len(), 2);
    }

    async fn a_real_worker_makes_the_pages_of_a_job(fixture: Fixture) {
        browsers(&fixture, 50).await;
        let working = fixture.app.work();
        let request = fixture.app.http.post(format!("{}/api/notify", fixture.app.base)).json(&json!({"message": "m"}));
        let answer = request.header("prefer", "wait=30").send().await.expect("an answer");
        let response: serde_json::Value = answer.json().await.expect("JSON");
        // Only the first of them is known to the push service.
        assert_eq!(response["results"]["web_push"], json!({"total": 50, "queued": 50, "succeeded": 1, "failed": 49}));
        assert_eq!(fixture.subscriptions().await, 1);
        working.stop().await;
    }

    async fn a_broadcast_that_a_stopping_worker_is_handed_is_released(fixture: Fixture) {
        browsers(&fixture, 2).await;
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        let context = &fixture.app.context;
        let leased = claim(context).await.expect("a claim").expect("a broadcast");
        let now = context.database.now(&fixture.app.clock).await.expect("a time");
        let job = Job { accepted_at: now, lease_until: now + LEASE, work: Work::Broadcast(leased), request_id: None };
        let halt = CancellationToken::new();
        halt.cancel();
        Broadcaster::new(context, halt).handle_job(&job, leased).await;
        assert_eq!(recipients(&fixture).await.len(), 0, "no page is begun");
        let again = claim(context).await.expect("a claim").expect("free at once");
        assert_eq!((again.id, again.claim), (leased.id, leased.claim + 1));
    }
}
