//! Notices go out once on each channel, however often they are announced.

use std::time::Duration;

use api::accept::{Audience, NewNotification};
use domain::{delivery::Channel, notification::Notification};
use entity::broadcast;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use testkit::TestApp;

use crate::in_both_towns;

/// Longest that a worker may take for all messages of a story.
const PATIENCE: Duration = Duration::from_secs(60);

async fn notice(app: &TestApp, title: &str) -> String {
    let (status, told) = app.post_json("/v1/notices", json!({"title": title, "message": "m"})).await;
    assert_eq!(status, 201, "{told}");
    told["id"].as_str().expect("an id").to_owned()
}

async fn update(app: &TestApp) -> Value {
    let (status, told) = app.post_json("/webhook/update", "").await;
    assert_eq!((status, &told["success"]), (200, &json!(true)), "{told}");
    told["results"].clone()
}

fn counts(notices: i64, total: i64) -> Value {
    json!({"notices": notices, "total": total, "queued": total})
}

in_both_towns! {
    async fn a_notice_goes_out_once(town: Town) {
        town.subscriber("1").await;
        let browser = town.browser().await;
        assert_eq!(update(&town.app).await, json!({"telegram": counts(0, 0), "web_push": counts(0, 0)}));
        let id = notice(&town.app, "first").await;
        notice(&town.app, "second").await;
        assert_eq!(update(&town.app).await, json!({"telegram": counts(2, 2), "web_push": counts(2, 2)}));
        assert_eq!(update(&town.app).await, json!({"telegram": counts(0, 0), "web_push": counts(0, 0)}), "never twice");
        town.app.drain().await;
        assert_eq!(town.telegram.texts("1"), ["first\n\nm", "second\n\nm"]);
        let told = town.told(&browser);
        assert_eq!((told.len(), &told[0]["notice_id"]), (2, &json!(id)));
        let (_, stats) = town.app.get_json("/api/stats/notices").await;
        assert_eq!((&stats["sent"]["telegram"], &stats["pending"]["telegram"]), (&json!(2), &json!(0)), "{stats}");
    }

    async fn calls_at_the_same_moment_announce_each_notice_once(town: Town) {
        town.subscriber("1").await;
        for n in 0..20 {
            notice(&town.app, &format!("notice {n}")).await;
        }
        let calls = (0..8).map(|_| update(&town.app));
        let told = futures_util::future::join_all(calls).await;
        let of = |channel: &str| told.iter().map(|one| one[channel]["notices"].as_i64().expect("a number")).sum::<i64>();
        assert_eq!((of("telegram"), of("web_push")), (20, 20));
        // A bot's rate lets 20 messages go in more than half a second: a worker waits for it, a drain does not.
        let working = town.app.work();
        town.telegram.wait_for(20, PATIENCE).await;
        working.stop().await;
        town.app.drain().await;
        let mut texts = town.telegram.texts("1");
        texts.sort();
        texts.dedup();
        assert_eq!((texts.len(), town.telegram.calls().len()), (20, 20));
        let rows = broadcast::Entity::find().all(town.app.context.database.reader()).await.expect("rows");
        assert_eq!(rows.len(), 40);
        assert_eq!(town.app.events().await.len(), 20, "an event each, and none for who came late");
    }

    async fn a_channel_that_is_set_later_gets_what_it_has_not_had(town: Town) {
        let id = notice(&town.app, "n").await;
        let notice_id = Some(id.parse().expect("an id"));
        let notification = Notification { title: None, message: "m".into(), url: None, notice_id };
        let audience = vec![Audience { channel: Channel::Telegram, total: 0 }];
        let only = NewNotification { notification, audience: audience.clone(), request_id: None };
        assert_eq!(town.app.accept.notify(only.clone()).await.expect("accepted").audience, audience);
        assert_eq!(town.app.accept.notify(only).await.expect("accepted").audience, []);
        assert_eq!(update(&town.app).await, json!({"telegram": counts(0, 0), "web_push": counts(1, 0)}));
    }
}
