//! What a push service answers, and what becomes of the subscription, the delivery and the service's lane.

use std::time::Duration;

use domain::delivery::DeliveryState::{Dead, Pending, Succeeded};
use entity::{lane, push_subscription};
use sea_orm::{EntityTrait, sea_query::Expr};
use serde_json::json;
use testkit::{Answer, push_service::slow_down};

use crate::{Town, in_both_towns};

async fn lane_of_the_service(town: &Town) -> lane::Model {
    let id = domain::notification::push_lane(&town.pushes.origin());
    lane::Entity::find_by_id(id.0)
        .one(town.app.context.database.reader())
        .await
        .expect("a read")
        .expect("a lane")
}

in_both_towns! {
    async fn a_subscription_that_is_gone_is_removed_and_the_others_stay(town: Town) {
        let (gone, unknown, well) = (town.browser().await, town.browser().await, town.browser().await);
        gone.unsubscribe();
        unknown.answer([Answer::Status(404)]);
        town.notify(json!({"message": "m"})).await;
        town.app.drain().await;
        let left = (Dead, Some("unsubscribed".to_owned()));
        assert_eq!(town.ends().await, [left.clone(), left, (Succeeded, None)]);
        assert_eq!((town.subscriptions().await, town.told(&well).len()), (1, 1));
        assert_eq!(lane_of_the_service(&town).await.failures, 0, "a service that is told so is well");
        assert_eq!(town.notify(json!({"message": "m"})).await["web_push"]["total"], 1);
    }

    async fn a_browser_that_subscribed_again_meanwhile_is_not_forgotten(town: Town) {
        let browser = town.browser().await;
        town.notify(json!({"message": "m"})).await;
        while worker::broadcasts::step(&town.app.context).await.expect("a page") {}
        browser.answer([Answer::Status(410)]);
        // Its row is changed at a later time than the send will have started.
        let later = town.app.context.database.now(&town.app.clock).await.expect("a time").0 + 60_000;
        let update = push_subscription::Entity::update_many();
        let update = update.col_expr(push_subscription::Column::UpdatedAt, Expr::value(later));
        update.exec(town.app.context.database.writer()).await.expect("an update");
        town.app.drain().await;
        assert_eq!(town.ends().await, [(Dead, Some("unsubscribed".to_owned()))]);
        assert_eq!(town.subscriptions().await, 1);
    }

    async fn a_message_that_is_too_large_is_given_up(town: Town) {
        town.service_is_proven().await;
        let browser = town.browser().await;
        browser.answer([Answer::Status(413)]);
        town.notify(json!({"message": "m"})).await;
        town.app.drain().await;
        assert_eq!(town.ends().await, [(Dead, Some("rejected".to_owned()))]);
        assert_eq!(town.subscriptions().await, 1);
    }

    async fn a_service_that_is_overloaded_or_broken_is_left_alone_and_tried_again(town: Town) {
        town.service_is_proven().await;
        let browser = town.browser().await;
        browser.answer([slow_down(90), Answer::Status(500), Answer::Status(201)]);
        town.notify(json!({"message": "m"})).await;
        town.app.drain().await;
        assert_eq!(town.ends().await, [(Pending, None)]);
        let pause = lane_of_the_service(&town).await.blocked_until - town.app.clock.now().0;
        assert!((80_000..=90_000).contains(&pause), "the whole service rests: {pause}");
        town.app.clock.forward(Duration::from_secs(80));
        town.app.drain().await;
        assert_eq!(town.pushes.count(), 1, "not before its time");
        for _ in 0..2 {
            town.app.clock.forward(Duration::from_secs(400));
            town.app.drain().await;
        }
        assert_eq!((town.ends().await, town.pushes.count()), (vec![(Succeeded, None)], 3));
    }

    async fn a_service_that_fails_for_days_is_never_switched_off(town: Town) {
        town.service_is_proven().await;
        let browser = town.browser().await;
        browser.answer(std::iter::repeat_n(Answer::Status(500), 200));
        for _ in 0..30 {
            town.notify(json!({"message": "m"})).await;
            town.app.drain().await;
            town.app.clock.forward(Duration::from_secs(5 * 3_600));
            town.app.drain().await;
        }
        let lane = lane_of_the_service(&town).await;
        assert_eq!((lane.state.as_str(), lane.tell_owner), ("active", false));
        assert!(lane.breaker_until > 0, "its breaker is open");
    }

    async fn a_long_message_is_cut_to_what_a_push_service_takes(town: Town) {
        let browser = town.browser().await;
        town.notify(json!({"message": "\"🦀\\".repeat(4_000)})).await;
        town.app.drain().await;
        let told = town.told(&browser);
        let body = told[0]["body"].as_str().expect("a body");
        assert!(body.starts_with("\"🦀\\") && body.ends_with('…'), "{}", body.len());
        assert_eq!(town.ends().await, [(Succeeded, None)]);
    }
}
