//! Responses of push services, and their effects on subscription, delivery and lane.

use std::time::Duration;

use domain::delivery::DeliveryState::{Dead, Pending, Succeeded};
use entity::{lane, push_subscription};
use sea_orm::{EntityTrait, sea_query::Expr};
use serde_json::json;
use testkit::{Answer, push_service::slow_down};

use crate::{Fixture, fixture_on_both_shapes};

async fn lane_of_the_service(fixture: &Fixture) -> lane::Model {
    let id = domain::notification::push_lane(&fixture.pushes.origin());
    lane::Entity::find_by_id(id.0)
        .one(fixture.app.context.database.reader())
        .await
        .expect("a read")
        .expect("a lane")
}

fixture_on_both_shapes! {
    async fn a_subscription_that_is_gone_is_removed_and_the_others_stay(fixture: Fixture) {
        let (gone, unknown, well) = (fixture.browser().await, fixture.browser().await, fixture.browser().await);
        gone.unsubscribe();
        unknown.answer([Answer::Status(404)]);
        fixture.notify(json!({"message": "m"})).await;
        fixture.app.drain().await;
        let left = (Dead, Some("unsubscribed".to_owned()));
        assert_eq!(fixture.ends().await, [left.clone(), left, (Succeeded, None)]);
        assert_eq!((fixture.subscriptions().await, fixture.response(&well).len()), (1, 1));
        assert_eq!(lane_of_the_service(&fixture).await.failures, 0, "a service that is response so is well");
        assert_eq!(fixture.notify(json!({"message": "m"})).await["web_push"]["total"], 1);
    }

    async fn a_browser_that_subscribed_again_meanwhile_is_not_forgotten(fixture: Fixture) {
        let browser = fixture.browser().await;
        fixture.notify(json!({"message": "m"})).await;
        while worker::broadcasts::step(&fixture.app.context).await.expect("a page") {}
        browser.answer([Answer::Status(410)]);
        // Its row is changed at a later time than the send will have started.
        let later = fixture.app.context.database.now(&fixture.app.clock).await.expect("a time").0 + 60_000;
        let update = push_subscription::Entity::update_many();
        let update = update.col_expr(push_subscription::Column::UpdatedAt, Expr::value(later));
        update.exec(fixture.app.context.database.writer()).await.expect("an update");
        fixture.app.drain().await;
        assert_eq!(fixture.ends().await, [(Dead, Some("unsubscribed".to_owned()))]);
        assert_eq!(fixture.subscriptions().await, 1);
    }

    async fn a_message_that_is_too_large_is_given_up(fixture: Fixture) {
        fixture.service_is_proven().await;
        let browser = fixture.browser().await;
        browser.answer([Answer::Status(413)]);
        fixture.notify(json!({"message": "m"})).await;
        fixture.app.drain().await;
        assert_eq!(fixture.ends().await, [(Dead, Some("rejected".to_owned()))]);
        assert_eq!(fixture.subscriptions().await, 1);
    }

    async fn a_service_that_is_overloaded_or_broken_is_left_alone_and_tried_again(fixture: Fixture) {
        fixture.service_is_proven().await;
        let browser = fixture.browser().await;
        browser.answer([slow_down(90), Answer::Status(500), Answer::Status(201)]);
        fixture.notify(json!({"message": "m"})).await;
        fixture.app.drain().await;
        assert_eq!(fixture.ends().await, [(Pending, None)]);
        let pause = lane_of_the_service(&fixture).await.blocked_until - fixture.app.clock.now().0;
        assert!((80_000..=90_000).contains(&pause), "the whole service rests: {pause}");
        fixture.app.clock.forward(Duration::from_secs(80));
        fixture.app.drain().await;
        assert_eq!(fixture.pushes.count(), 1, "not before its time");
        for _ in 0..2 {
            fixture.app.clock.forward(Duration::from_secs(400));
            fixture.app.drain().await;
        }
        assert_eq!((fixture.ends().await, fixture.pushes.count()), (vec![(Succeeded, None)], 3));
    }

    async fn a_service_that_fails_for_days_is_never_switched_off(fixture: Fixture) {
        fixture.service_is_proven().await;
        let browser = fixture.browser().await;
        browser.answer(std::iter::repeat_n(Answer::Status(500), 200));
        for _ in 0..30 {
            fixture.notify(json!({"message": "m"})).await;
            fixture.app.drain().await;
            fixture.app.clock.forward(Duration::from_secs(5 * 3_600));
            fixture.app.drain().await;
        }
        let lane = lane_of_the_service(&fixture).await;
        assert_eq!((lane.state.as_str(), lane.tell_owner), ("active", false));
        assert!(lane.breaker_until > 0, "its breaker is open");
    }

    async fn a_long_message_is_cut_to_what_a_push_service_takes(fixture: Fixture) {
        let browser = fixture.browser().await;
        fixture.notify(json!({"message": "\"🦀\\".repeat(4_000)})).await;
        fixture.app.drain().await;
        let response = fixture.response(&browser);
        let body = response[0]["body"].as_str().expect("a body");
        assert!(body.starts_with("\"🦀\\") && body.ends_with('…'), "{}", body.len());
        assert_eq!(fixture.ends().await, [(Succeeded, None)]);
    }
}
