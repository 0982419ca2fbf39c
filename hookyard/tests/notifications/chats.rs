//! Responses of the Bot API, and their effects on chat, delivery and lane.

use std::time::Duration;

use domain::delivery::DeliveryState::{Dead, Pending, Succeeded};
use entity::{lane, subscriber};
use sea_orm::EntityTrait;
use serde_json::json;
use testkit::telegram::Reply;

use crate::{CONFIGURED_CHAT, Fixture, fixture_on_both_shapes};

async fn is_active(fixture: &Fixture, id: &str) -> bool {
    let row = subscriber::Entity::find_by_id(id.parse::<uuid::Uuid>().expect("an id"));
    row.one(fixture.app.context.database.reader()).await.expect("a read").expect("a row").active
}

async fn lane_of_the_bot(fixture: &Fixture) -> lane::Model {
    let id = domain::notification::bot_lane(fixture.telegram.token());
    lane::Entity::find_by_id(id.0)
        .one(fixture.app.context.database.reader())
        .await
        .expect("a read")
        .expect("a lane")
}

async fn later(fixture: &Fixture, seconds: u64) {
    fixture.app.clock.forward(Duration::from_secs(seconds));
    fixture.app.drain().await;
}

fixture_on_both_shapes! {
    async fn a_chat_that_blocked_the_bot_is_left_alone_until_it_comes_back(fixture: Fixture) {
        let id = fixture.subscriber("1").await;
        fixture.telegram.reply("1", [Reply::BLOCKED]);
        fixture.notify(json!({"message": "m"})).await;
        fixture.app.drain().await;
        assert_eq!(fixture.ends().await, [(Dead, Some("unsubscribed".to_owned()))]);
        assert!(!is_active(&fixture, &id).await);
        assert_eq!(fixture.notify(json!({"message": "m"})).await["telegram"]["total"], 0);
        fixture.app.drain().await;
        assert_eq!(fixture.subscriber("1").await, id, "the same row");
        assert!(is_active(&fixture, &id).await);
        assert_eq!(fixture.notify(json!({"message": "again"})).await["telegram"]["total"], 1);
        fixture.app.drain().await;
        assert_eq!(fixture.telegram.texts("1"), ["again"]);
        assert_eq!(lane_of_the_bot(&fixture).await.failures, 0, "a bot that is response so is well");
    }

    async fn what_a_chat_will_never_take_is_given_up_and_the_chat_stays(fixture: Fixture) {
        let id = fixture.subscriber("1").await;
        fixture.telegram.reply("1", [Reply::Refuse(400, "Bad Request: message text is empty")]);
        fixture.notify(json!({"message": "m"})).await;
        fixture.app.drain().await;
        assert_eq!(fixture.ends().await, [(Dead, Some("rejected".to_owned()))]);
        assert!(is_active(&fixture, &id).await);
    }

    async fn too_many_at_part_two_pauses_the_bot_and_part_one_is_not_repeated(fixture: Fixture) {
        fixture.subscriber("1").await;
        fixture.subscriber("2").await;
        fixture.telegram.reply("1", [Reply::Ok, Reply::TooMany(60)]);
        let message = format!("{}\n{}", "a".repeat(4_000), "b".repeat(4_000));
        fixture.notify(json!({"message": message})).await;
        fixture.app.drain().await;
        assert_eq!(fixture.telegram.texts("1").len(), 1);
        let lane = lane_of_the_bot(&fixture).await;
        let pause = lane.blocked_until - fixture.app.clock.now().0;
        assert!((50_000..=60_000).contains(&pause), "the whole bot rests for a minute: {pause}");
        later(&fixture, 50).await;
        assert_eq!(fixture.telegram.texts("1").len(), 1, "not before its time");
        later(&fixture, 70).await;
        let texts = fixture.telegram.texts("1");
        assert_eq!(texts.len(), 2, "part two, and no second part one");
        assert!(texts[0].starts_with('a') && texts[1].starts_with('b'), "{texts:?}");
        assert_eq!(fixture.telegram.texts("2").len(), 2);
        assert!(fixture.ends().await.iter().all(|(state, _)| *state == Succeeded));
    }

    async fn a_broken_api_is_tried_again_and_a_dropped_connection_goes_on_where_it_was(fixture: Fixture) {
        fixture.subscriber("1").await;
        fixture.telegram.reply("1", [Reply::BROKEN, Reply::Ok, Reply::Drop, Reply::Ok]);
        let message = format!("{}\n{}", "a".repeat(4_000), "b".repeat(4_000));
        fixture.notify(json!({"message": message})).await;
        fixture.app.drain().await;
        assert_eq!(fixture.ends().await, [(Pending, None)]);
        later(&fixture, 10).await;
        assert_eq!(fixture.telegram.texts("1").len(), 1);
        assert_eq!(fixture.ends().await, [(Pending, None)]);
        later(&fixture, 400).await;
        assert_eq!(fixture.telegram.texts("1").len(), 2);
        assert_eq!(fixture.ends().await, [(Succeeded, None)]);
        let delivery = fixture.app.delivery_of(fixture.event().await).await;
        assert_eq!(delivery.attempts, 3);
        let shown = format!("{:?} {:?}", fixture.app.attempts_of(delivery.id).await, fixture.app.errors().await);
        let secret = fixture.telegram.token().split_once(':').expect("a token").1;
        assert!(!shown.contains(secret), "the token is nowhere");
    }

    async fn a_manually_retried_dead_letter_continues_where_it_stopped(fixture: Fixture) {
        fixture.subscriber("1").await;
        fixture.telegram.reply("1", [Reply::Ok, Reply::Refuse(400, "Bad Request: message text is empty")]);
        let message = format!("{}\n{}", "a".repeat(4_000), "b".repeat(4_000));
        fixture.notify(json!({"message": message})).await;
        fixture.app.drain().await;
        let dead = fixture.app.delivery_of(fixture.event().await).await;
        assert_eq!(dead.state, Dead);
        let (status, response) = fixture.app.post_json(&format!("/v1/deliveries/{}/retry", dead.id), "").await;
        assert!(status < 300, "{response}");
        fixture.app.drain().await;
        let texts = fixture.telegram.texts("1");
        assert!(texts.len() == 2 && texts[1].starts_with('b'), "{texts:?}");
    }

    async fn a_subscriber_deleted_before_the_send_gets_nothing(fixture: Fixture) {
        let id = fixture.subscriber("1").await;
        fixture.notify(json!({"message": "m"})).await;
        while worker::broadcasts::step(&fixture.app.context).await.expect("a page") {}
        let url = format!("{}/v1/subscribers/{id}", fixture.app.base);
        assert_eq!(fixture.app.http.delete(url).send().await.expect("an answer").status(), 204);
        fixture.app.drain().await;
        assert_eq!(fixture.ends().await, [(Dead, Some("unsubscribed".to_owned()))]);
        assert_eq!(fixture.telegram.calls().len(), 0);
    }
}

async fn the_chat_of_the_settings(shape: testkit::Shape) {
    let fixture = Fixture::start_with(shape, &[("TELEGRAM_CHAT_ID", CONFIGURED_CHAT)]).await;
    assert_eq!(fixture.notify(json!({"message": "alone"})).await["telegram"]["total"], 1);
    fixture.subscriber("1").await;
    // Its own subscriber gets nothing twice.
    fixture.subscriber(CONFIGURED_CHAT).await;
    assert_eq!(fixture.notify(json!({"message": "both"})).await["telegram"]["total"], 2);
    fixture.app.drain().await;
    assert_eq!(fixture.telegram.texts(CONFIGURED_CHAT), ["alone", "both"]);
    assert_eq!(fixture.telegram.texts("1"), ["both"]);
    assert!(fixture.ends().await.iter().all(|(state, _)| *state == Succeeded));
}

#[tokio::test]
async fn the_chat_of_the_settings_gets_everything_once_embedded() {
    the_chat_of_the_settings(testkit::Shape::Embedded).await;
}

#[tokio::test]
async fn the_chat_of_the_settings_gets_everything_once_cluster() {
    the_chat_of_the_settings(testkit::Shape::Cluster).await;
}
