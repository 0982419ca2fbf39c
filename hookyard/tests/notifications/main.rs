//! Notifications from the request to the chat and the browser, on SQLite + memory and on Postgres + Redis: a bot's API and a
//! fake push service record what they receive.

mod answers;
mod browsers;
mod chats;
mod notices;
mod pages;
mod strangers;
mod waits;

use channels::VapidKeys;
use domain::{
    delivery::DeliveryState,
    id::{EventId, LaneId},
    notification::push_lane,
};
use entity::{event, lane, push_subscription};
use sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder};
use serde_json::{Value, json};
use testkit::{
    Shape, TestApp,
    push_service::{PushService, Subscription},
    telegram::Telegram,
};

/// The chat that the settings name.
const CONFIGURED_CHAT: &str = "4242";

/// An app with both channels set, and what they speak to.
struct Fixture {
    app: TestApp,
    telegram: Telegram,
    pushes: PushService,
}

impl Fixture {
    async fn start(shape: Shape) -> Self {
        Self::start_with(shape, &[]).await
    }

    async fn start_with(shape: Shape, more: &[(&str, &str)]) -> Self {
        let (telegram, pushes) =
            (Telegram::start().await, PushService::start().await.expect("a push service"));
        let (private, public) = VapidKeys::generate();
        let api_url = telegram.api_url();
        let own = [
            ("TELEGRAM_BOT_TOKEN", telegram.token()),
            ("TELEGRAM_API_URL", api_url.as_str()),
            ("VAPID_PRIVATE_KEY", private.as_str()),
            ("VAPID_PUBLIC_KEY", public.as_str()),
            ("VAPID_EMAIL", "ops@example.org"),
        ];
        let app = TestApp::start_with(shape, &[&own[..], more].concat()).await;
        Self { app, telegram, pushes }
    }

    async fn subscriber(&self, chat_id: &str) -> String {
        let (status, response) = self.app.post_json("/v1/subscribers", json!({"chat_id": chat_id})).await;
        assert!([200, 201].contains(&status), "{response}");
        response["id"].as_str().expect("an id").to_owned()
    }

    async fn browser(&self) -> Subscription {
        let subscription = self.pushes.subscribe();
        let (status, response) = self.app.post_json("/api/push/subscribe", subscription.to_json()).await;
        assert_eq!((status, response), (200, json!({"success": true})));
        subscription
    }

    /// The push service has taken messages before: it has a lane of its own.
    async fn service_is_proven(&self) -> LaneId {
        let id = push_lane(&self.pushes.origin());
        let lane = lane::ActiveModel {
            id: Set(id.0),
            channel: Set("web_push".to_owned()),
            succeeded_at: Set(1),
            ..Default::default()
        };
        let insert = lane::Entity::insert(lane).exec_without_returning(self.app.context.database.writer());
        insert.await.expect("a lane");
        id
    }

    /// Notifies and gives the results.
    async fn notify(&self, body: Value) -> Value {
        let (status, response) = self.app.post_json("/api/notify", body).await;
        assert_eq!((status, &response["success"]), (200, &json!(true)), "{response}");
        response["results"].clone()
    }

    /// The event of the last notification.
    async fn event(&self) -> EventId {
        let last = event::Entity::find().order_by_desc(event::Column::Id);
        last.one(self.app.context.database.reader()).await.expect("a read").expect("an event").id.into()
    }

    /// The states and reasons of the deliveries of the last notification, sorted.
    async fn ends(&self) -> Vec<(DeliveryState, Option<String>)> {
        let mut ends: Vec<_> = self
            .app
            .deliveries_of(self.event().await)
            .await
            .into_iter()
            .map(|one| (one.state, one.reason))
            .collect();
        ends.sort_by_key(|(state, reason)| (state.as_str(), reason.clone()));
        ends
    }

    async fn subscriptions(&self) -> usize {
        push_subscription::Entity::find().all(self.app.context.database.reader()).await.expect("rows").len()
    }

    /// The messages of a browser, oldest first.
    fn response(&self, subscription: &Subscription) -> Vec<Value> {
        let messages = subscription.messages(self.app.clock.now()).expect("what only this browser can read");
        messages.into_iter().map(|message| message.payload).collect()
    }
}

/// Runs the same story in both shapes, with a fixture of its own each.
macro_rules! fixture_on_both_shapes {
    ($(async fn $name:ident($fixture:ident: Fixture) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "stories differ in what they use")]
            use super::*;

            async fn story($fixture: crate::Fixture) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                story(crate::Fixture::start(testkit::Shape::Embedded).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn cluster() {
                story(crate::Fixture::start(testkit::Shape::Cluster).await).await;
            }
        }
    )+};
}
use fixture_on_both_shapes;
