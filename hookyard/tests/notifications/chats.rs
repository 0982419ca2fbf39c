//! What a bot's API answers, and what becomes of the chat, the delivery and the bot's lane.

use std::time::Duration;

use domain::delivery::DeliveryState::{Dead, Pending, Succeeded};
use entity::{lane, subscriber};
use sea_orm::EntityTrait;
use serde_json::json;
use testkit::telegram::Reply;

use crate::{CHAT_OF_SETTINGS, Town, in_both_towns};

async fn is_active(town: &Town, id: &str) -> bool {
    let row = subscriber::Entity::find_by_id(id.parse::<uuid::Uuid>().expect("an id"));
    row.one(town.app.context.database.reader()).await.expect("a read").expect("a row").active
}

async fn lane_of_the_bot(town: &Town) -> lane::Model {
    let id = domain::notification::bot_lane(town.telegram.token());
    lane::Entity::find_by_id(id.0)
        .one(town.app.context.database.reader())
        .await
        .expect("a read")
        .expect("a lane")
}

async fn later(town: &Town, seconds: u64) {
    town.app.clock.forward(Duration::from_secs(seconds));
    town.app.drain().await;
}

in_both_towns! {
    async fn a_chat_that_blocked_the_bot_is_left_alone_until_it_comes_back(town: Town) {
        let id = town.subscriber("1").await;
        town.telegram.reply("1", [Reply::BLOCKED]);
        town.notify(json!({"message": "m"})).await;
        town.app.drain().await;
        assert_eq!(town.ends().await, [(Dead, Some("unsubscribed".to_owned()))]);
        assert!(!is_active(&town, &id).await);
        assert_eq!(town.notify(json!({"message": "m"})).await["telegram"]["total"], 0);
        town.app.drain().await;
        assert_eq!(town.subscriber("1").await, id, "the same row");
        assert!(is_active(&town, &id).await);
        assert_eq!(town.notify(json!({"message": "again"})).await["telegram"]["total"], 1);
        town.app.drain().await;
        assert_eq!(town.telegram.texts("1"), ["again"]);
        assert_eq!(lane_of_the_bot(&town).await.failures, 0, "a bot that is told so is well");
    }

    async fn what_a_chat_will_never_take_is_given_up_and_the_chat_stays(town: Town) {
        let id = town.subscriber("1").await;
        town.telegram.reply("1", [Reply::Refuse(400, "Bad Request: message text is empty")]);
        town.notify(json!({"message": "m"})).await;
        town.app.drain().await;
        assert_eq!(town.ends().await, [(Dead, Some("rejected".to_owned()))]);
        assert!(is_active(&town, &id).await);
    }

    async fn too_many_at_part_two_pauses_the_bot_and_part_one_is_not_repeated(town: Town) {
        town.subscriber("1").await;
        town.subscriber("2").await;
        town.telegram.reply("1", [Reply::Ok, Reply::TooMany(60)]);
        let message = format!("{}\n{}", "a".repeat(4_000), "b".repeat(4_000));
        town.notify(json!({"message": message})).await;
        town.app.drain().await;
        assert_eq!(town.telegram.texts("1").len(), 1);
        let lane = lane_of_the_bot(&town).await;
        let pause = lane.blocked_until - town.app.clock.now().0;
        assert!((50_000..=60_000).contains(&pause), "the whole bot rests for a minute: {pause}");
        later(&town, 50).await;
        assert_eq!(town.telegram.texts("1").len(), 1, "not before its time");
        later(&town, 70).await;
        let texts = town.telegram.texts("1");
        assert_eq!(texts.len(), 2, "part two, and no second part one");
        assert!(texts[0].starts_with('a') && texts[1].starts_with('b'), "{texts:?}");
        assert_eq!(town.telegram.texts("2").len(), 2);
        assert!(town.ends().await.iter().all(|(state, _)| *state == Succeeded));
    }

    async fn a_broken_api_is_tried_again_and_a_dropped_connection_goes_on_where_it_was(town: Town) {
        town.subscriber("1").await;
        town.telegram.reply("1", [Reply::BROKEN, Reply::Ok, Reply::Drop, Reply::Ok]);
        let message = format!("{}\n{}", "a".repeat(4_000), "b".repeat(4_000));
        town.notify(json!({"message": message})).await;
        town.app.drain().await;
        assert_eq!(town.ends().await, [(Pending, None)]);
        later(&town, 10).await;
        assert_eq!(town.telegram.texts("1").len(), 1);
        assert_eq!(town.ends().await, [(Pending, None)]);
        later(&town, 400).await;
        assert_eq!(town.telegram.texts("1").len(), 2);
        assert_eq!(town.ends().await, [(Succeeded, None)]);
        let delivery = town.app.delivery_of(town.event().await).await;
        assert_eq!(delivery.attempts, 3);
        let shown = format!("{:?} {:?}", town.app.attempts_of(delivery.id).await, town.app.errors().await);
        let secret = town.telegram.token().split_once(':').expect("a token").1;
        assert!(!shown.contains(secret), "the token is nowhere");
    }

    async fn a_dead_letter_that_is_tried_again_by_hand_goes_on_where_it_stopped(town: Town) {
        town.subscriber("1").await;
        town.telegram.reply("1", [Reply::Ok, Reply::Refuse(400, "Bad Request: message text is empty")]);
        let message = format!("{}\n{}", "a".repeat(4_000), "b".repeat(4_000));
        town.notify(json!({"message": message})).await;
        town.app.drain().await;
        let dead = town.app.delivery_of(town.event().await).await;
        assert_eq!(dead.state, Dead);
        let (status, told) = town.app.post_json(&format!("/v1/deliveries/{}/retry", dead.id), "").await;
        assert!(status < 300, "{told}");
        town.app.drain().await;
        let texts = town.telegram.texts("1");
        assert!(texts.len() == 2 && texts[1].starts_with('b'), "{texts:?}");
    }

    async fn somebody_who_was_deleted_before_the_send_gets_nothing(town: Town) {
        let id = town.subscriber("1").await;
        town.notify(json!({"message": "m"})).await;
        while worker::broadcasts::step(&town.app.context).await.expect("a page") {}
        let url = format!("{}/v1/subscribers/{id}", town.app.base);
        assert_eq!(town.app.http.delete(url).send().await.expect("an answer").status(), 204);
        town.app.drain().await;
        assert_eq!(town.ends().await, [(Dead, Some("unsubscribed".to_owned()))]);
        assert_eq!(town.telegram.calls().len(), 0);
    }
}

async fn the_chat_of_the_settings(shape: testkit::Shape) {
    let town = Town::start_with(shape, &[("TELEGRAM_CHAT_ID", CHAT_OF_SETTINGS)]).await;
    assert_eq!(town.notify(json!({"message": "alone"})).await["telegram"]["total"], 1);
    town.subscriber("1").await;
    // Its own subscriber gets nothing twice.
    town.subscriber(CHAT_OF_SETTINGS).await;
    assert_eq!(town.notify(json!({"message": "both"})).await["telegram"]["total"], 2);
    town.app.drain().await;
    assert_eq!(town.telegram.texts(CHAT_OF_SETTINGS), ["alone", "both"]);
    assert_eq!(town.telegram.texts("1"), ["both"]);
    assert!(town.ends().await.iter().all(|(state, _)| *state == Succeeded));
}

#[tokio::test]
async fn the_chat_of_the_settings_gets_everything_once_embedded() {
    the_chat_of_the_settings(testkit::Shape::Embedded).await;
}

#[tokio::test]
async fn the_chat_of_the_settings_gets_everything_once_cluster() {
    the_chat_of_the_settings(testkit::Shape::Cluster).await;
}
