//! Notices go out once on each channel, however often they are announced.

use std::time::Duration;

use api::accept::{Audience, NewNotification};
use domain::{delivery::Channel, notification::Notification};
use entity::broadcast;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testkit::TestApp;

use crate::fixture_on_both_shapes;

/// Longest that a worker may take for all messages of a story.
const PATIENCE: Duration = Duration::from_secs(60);

async fn notice(app: &TestApp, title: &str) -> String {
    let (status, response) = app.post_json("/v1/notices", json!({"title": title, "message": "m"})).await;
    assert_eq!(status, 201, "{response}");
    response["id"].as_str().expect("an id").to_owned()
}

async fn update(app: &TestApp) -> Value {
    let (status, response) = app.post_json("/webhook/update", "").await;
    assert_eq!((status, &response["success"]), (200, &json!(true)), "{response}");
    response["results"].clone()
}

fn counts(notices: i64, total: i64) -> Value {
    json!({"notices": notices, "total": total, "queued": total})
}

fixture_on_both_shapes! {
    async fn a_notice_goes_out_once(fixture: Fixture) {
        fixture.subscriber("1").await;
        let browser = fixture.browser().await;
        assert_eq!(update(&fixture.app).await, json!({"telegram": counts(0, 0), "web_push": counts(0, 0)}));
        let id = notice(&fixture.app, "first").await;
        notice(&fixture.app, "second").await;
        assert_eq!(update(&fixture.app).await, json!({"telegram": counts(2, 2), "web_push": counts(2, 2)}));
        assert_eq!(update(&fixture.app).await, json!({"telegram": counts(0, 0), "web_push": counts(0, 0)}), "never twice");
        fixture.app.drain().await;
        assert_eq!(fixture.telegram.texts("1"), ["first\n\nm", "second\n\nm"]);
        let response = fixture.response(&browser);
        assert_eq!((response.len(), &response[0]["notice_id"]), (2, &json!(id)));
        let (_, stats) = fixture.app.get_json("/api/stats/notices").await;
        assert_eq!((&stats["sent"]["telegram"], &stats["pending"]["telegram"]), (&json!(2), &json!(0)), "{stats}");
    }

    async fn calls_at_the_same_moment_announce_each_notice_once(fixture: Fixture) {
        fixture.subscriber("1").await;
        for n in 0..20 {
            notice(&fixture.app, &format!("notice {n}")).await;
        }
        let calls = (0..8).map(|_| update(&fixture.app));
        let response = futures_util::future::join_all(calls).await;
        let of = |channel: &str| response.iter().map(|one| one[channel]["notices"].as_i64().expect("a number")).sum::<i64>();
        assert_eq!((of("telegram"), of("web_push")), (20, 20));
        // A bot's rate lets 20 messages go in more than half a second: a worker waits for it, a drain does not.
        let working = fixture.app.work();
        fixture.telegram.wait_for(20, PATIENCE).await;
        working.stop().await;
        fixture.app.drain().await;
        let mut texts = fixture.telegram.texts("1");
        texts.sort();
        texts.dedup();
        assert_eq!((texts.len(), fixture.telegram.calls().len()), (20, 20));
        let rows = broadcast::Entity::find().all(fixture.app.context.database.reader()).await.expect("rows");
        assert_eq!(rows.len(), 40);
        assert_eq!(fixture.app.events().await.len(), 20, "an event each, and none for who came late");
    }

    async fn a_channel_that_is_set_later_gets_what_it_has_not_had(fixture: Fixture) {
        let id = notice(&fixture.app, "n").await;
        let notice_id = Some(id.parse().expect("an id"));
        let notification = Notification { title: None, message: "m".into(), url: None, notice_id };
        let audience = vec![Audience { channel: Channel::Telegram, total: 0 }];
        let only = NewNotification { notification, audience: audience.clone(), request_id: None };
        assert_eq!(fixture.app.accept.notify(only.clone()).await.expect("accepted").audience, audience);
        assert_eq!(fixture.app.accept.notify(only).await.expect("accepted").audience, []);
        assert_eq!(update(&fixture.app).await, json!({"telegram": counts(0, 0), "web_push": counts(1, 0)}));
    }
}
