//! Anyone may subscribe. Push services that answer nothing hold up no webhook, and those that never took a message cost one
//! lane in all.

use std::time::Duration;

use domain::{
    clock::Millis,
    delivery::DeliveryState::{Dead, Pending, Succeeded},
    notification::{UNPROVEN_PUSH_LANE, push_lane},
};
use entity::{delivery, lane, push_subscription};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use serde_json::json;
use testkit::{Answer, Receiver, Shape, push_service::slow_down, wait};
use tokio::net::TcpListener;
use worker::maintenance::lanes::remove_unused;

use crate::{Fixture, fixture_on_both_shapes};

/// Far more than a webhook takes, and less than a send that hangs.
const SOON: Duration = Duration::from_secs(30);
const SLOTS: usize = 32;
/// More push services than there are slots.
const SERVICES: usize = 40;
const WEBHOOKS: usize = 25;

/// Push services that take connections and never answer.
struct Silent(Vec<TcpListener>);

impl Silent {
    async fn start() -> Self {
        let mut listeners = vec![];
        for _ in 0..SERVICES {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.expect("a free port"));
        }
        Self(listeners)
    }

    fn origins(&self) -> Vec<String> {
        let address = |listener: &TcpListener| listener.local_addr().expect("it listens");
        self.0.iter().map(|listener| format!("http://{}", address(listener))).collect()
    }
}

async fn subscribe_at_each(fixture: &Fixture, services: &Silent) {
    for origin in services.origins() {
        let mut body = fixture.pushes.subscribe().to_json();
        body["endpoint"] = json!(format!("{origin}/stranger"));
        let (status, response) = fixture.app.post_json("/api/push/subscribe", body).await;
        assert_eq!((status, response), (200, json!({"success": true})));
    }
}

async fn leased(fixture: &Fixture) -> u64 {
    let leased = delivery::Entity::find().filter(delivery::Column::LeaseUntil.gt(0));
    leased.count(fixture.app.context.database.reader()).await.expect("a count")
}

/// Push messages that hang, then webhooks: all of these arrive while those still hang.
async fn webhooks_arrive_beside_services_that_hang(shape: Shape, are_proven: bool) {
    let slots = SLOTS.to_string();
    let settings = [("SEND_SLOTS", slots.as_str()), ("DELIVERY_TIMEOUT", "60s")];
    let (fixture, services) = (Fixture::start_with(shape, &settings).await, Silent::start().await);
    subscribe_at_each(&fixture, &services).await;
    if are_proven {
        let row = |origin: &String| lane::ActiveModel {
            id: Set(push_lane(origin).0),
            channel: Set("web_push".to_owned()),
            ..Default::default()
        };
        let lanes: Vec<_> = services.origins().iter().map(row).collect();
        let insert = lane::Entity::insert_many(lanes);
        insert.exec_without_returning(fixture.app.context.database.writer()).await.expect("lanes");
    }
    let receiver = Receiver::start(0).await.expect("a receiver");
    fixture.app.register(&receiver.url("/")).await;
    let worker = fixture.app.work();
    fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
    let most = if are_proven { SLOTS * 3 / 4 } else { SLOTS / 4 };
    let all_hang = async || (leased(&fixture).await == most as u64).then_some(());
    wait::until("its share of the slots hangs", SOON, all_hang).await;
    for n in 0..WEBHOOKS {
        fixture.app.publish(json!({"n": n})).await.expect("accepted");
    }
    assert_eq!(receiver.wait_for(WEBHOOKS, SOON).await.len(), WEBHOOKS);
    assert!(leased(&fixture).await >= most as u64, "they arrived while the others hung");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unproven_services_that_hang_hold_one_lanes_share_embedded() {
    webhooks_arrive_beside_services_that_hang(Shape::Embedded, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unproven_services_that_hang_hold_one_lanes_share_cluster() {
    webhooks_arrive_beside_services_that_hang(Shape::Cluster, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_services_that_hang_hold_their_channels_share_embedded() {
    webhooks_arrive_beside_services_that_hang(Shape::Embedded, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_services_that_hang_hold_their_channels_share_cluster() {
    webhooks_arrive_beside_services_that_hang(Shape::Cluster, true).await;
}

async fn lanes(fixture: &Fixture) -> Vec<uuid::Uuid> {
    let lanes = lane::Entity::find().filter(lane::Column::Channel.eq("web_push"));
    let mut ids: Vec<_> = lanes
        .all(fixture.app.context.database.reader())
        .await
        .expect("rows")
        .iter()
        .map(|row| row.id)
        .collect();
    ids.retain(|id| *id != UNPROVEN_PUSH_LANE.0);
    ids
}

async fn reached(fixture: &Fixture) -> usize {
    let reached =
        push_subscription::Entity::find().filter(push_subscription::Column::ReachedAt.is_not_null());
    usize::try_from(reached.count(fixture.app.context.database.reader()).await.expect("a count"))
        .expect("few")
}

/// The deliveries that broadcasts have made, once all pages are made.
async fn open(fixture: &Fixture) -> Vec<delivery::Model> {
    while worker::broadcasts::step(&fixture.app.context).await.expect("a page") {}
    delivery::Entity::find().all(fixture.app.context.database.reader()).await.expect("rows")
}

async fn open_lanes(fixture: &Fixture) -> Vec<uuid::Uuid> {
    open(fixture).await.into_iter().map(|row| row.lane_id).collect()
}

fixture_on_both_shapes! {
    async fn a_service_gets_a_lane_of_its_own_when_it_has_taken_a_message(fixture: Fixture) {
        let (_first, _second) = (fixture.browser().await, fixture.browser().await);
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        assert_eq!(open_lanes(&fixture).await, [UNPROVEN_PUSH_LANE.0; 2]);
        fixture.app.drain().await;
        let own = push_lane(&fixture.pushes.origin()).0;
        assert_eq!((lanes(&fixture).await, reached(&fixture).await), (vec![own], 2));
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        assert_eq!(open_lanes(&fixture).await, [own; 2]);
        fixture.app.drain().await;
        assert_eq!(fixture.pushes.count(), 4);
    }

    async fn an_unproven_service_slows_no_other_and_opens_no_breaker(fixture: Fixture) {
        let busy = fixture.browser().await;
        busy.answer(std::iter::repeat_n(slow_down(3_600), 50));
        for _ in 0..12 {
            fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
            fixture.app.drain().await;
        }
        let shared = lane::Entity::find_by_id(UNPROVEN_PUSH_LANE.0).one(fixture.app.context.database.reader());
        let shared = shared.await.expect("a read").expect("the lane");
        assert_eq!((shared.failures, shared.breaker_until, shared.blocked_until), (0, 0, 0));
        assert_eq!(fixture.ends().await, [(Pending, None)], "it is tried again when it asked for");
        assert_eq!(fixture.pushes.count(), 12, "each was tried once");
    }

    async fn a_subscription_that_was_never_reached_is_forgotten_with_its_last_attempt(fixture: Fixture) {
        let (silent, refused) = (fixture.browser().await, fixture.browser().await);
        silent.answer(std::iter::repeat_n(Answer::Status(500), 50));
        refused.answer([Answer::Status(403)]);
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        fixture.app.drain().await;
        assert_eq!(fixture.subscriptions().await, 1, "a service that took no message refused it");
        for _ in 0..10 {
            fixture.app.clock.forward(Duration::from_secs(30 * 3_600));
            fixture.app.drain().await;
        }
        let ends = fixture.ends().await;
        assert_eq!(ends, [(Dead, Some("rejected".to_owned())), (Dead, Some("schedule_spent".to_owned()))]);
        assert_eq!(fixture.subscriptions().await, 0);
    }

    async fn a_subscription_that_was_reached_before_outlives_its_failures(fixture: Fixture) {
        let browser = fixture.browser().await;
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        fixture.app.drain().await;
        assert_eq!(fixture.ends().await, [(Succeeded, None)]);
        browser.answer(std::iter::repeat_n(Answer::Status(500), 50));
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        for _ in 0..11 {
            fixture.app.drain().await;
            fixture.app.clock.forward(Duration::from_secs(30 * 3_600));
        }
        assert_eq!(fixture.ends().await, [(Dead, Some("schedule_spent".to_owned()))]);
        assert_eq!(fixture.subscriptions().await, 1);
    }

    async fn a_subscription_that_was_reached_outlives_another_delivery_that_fails(fixture: Fixture) {
        let browser = fixture.browser().await;
        browser.answer([Answer::Status(201), Answer::Status(413)]);
        for _ in 0..2 {
            fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        }
        let ids: Vec<_> = open(&fixture).await.iter().map(|row| row.id).collect();
        // Both are claimed before either is recorded.
        for delivery in fixture.app.claim(&ids).await {
            fixture.app.send_claimed(vec![delivery]).await;
        }
        assert_eq!((fixture.pushes.count(), fixture.subscriptions().await, reached(&fixture).await), (2, 1, 1));
    }

    async fn a_refusal_removes_nothing_once_its_service_has_taken_a_message(fixture: Fixture) {
        let (first, second) = (fixture.browser().await, fixture.browser().await);
        first.answer([Answer::Status(201)]);
        second.answer([Answer::Status(403)]);
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        let rows = open(&fixture).await;
        assert!(rows.iter().all(|row| row.lane_id == UNPROVEN_PUSH_LANE.0) && rows.len() == 2);
        let taken = push_subscription::Entity::find().filter(push_subscription::Column::Endpoint.eq(first.endpoint()));
        let taken = taken.one(fixture.app.context.database.reader()).await.expect("a read").expect("a row");
        let to_first = rows.iter().find(|row| row.recipient_id == taken.id).expect("a delivery");
        fixture.app.send(&[to_first.id]).await;
        fixture.app.drain().await;
        assert_eq!((fixture.pushes.count(), fixture.subscriptions().await), (2, 2), "the fault may be ours");
    }

    async fn a_refusal_of_a_proven_service_removes_nothing(fixture: Fixture) {
        let browser = fixture.browser().await;
        fixture.service_is_proven().await;
        browser.answer([Answer::Status(403)]);
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        fixture.app.drain().await;
        assert_eq!(fixture.ends().await, [(Dead, Some("rejected".to_owned()))]);
        assert_eq!((fixture.subscriptions().await, reached(&fixture).await), (1, 0), "the fault may be ours");
    }

    async fn a_lane_without_subscriptions_and_deliveries_is_removed(fixture: Fixture) {
        let browser = fixture.browser().await;
        fixture.service_is_proven().await;
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        assert_eq!(open_lanes(&fixture).await.len(), 1);
        assert_eq!(remove_unused(&fixture.app.context).await.expect("a look"), 0);
        let gone = push_subscription::Entity::delete_many().exec(fixture.app.context.database.writer());
        gone.await.expect("deleted");
        assert_eq!(remove_unused(&fixture.app.context).await.expect("a look"), 0, "a delivery waits");
        fixture.app.drain().await;
        assert_eq!(remove_unused(&fixture.app.context).await.expect("a look"), 1);
        assert!(lanes(&fixture).await.is_empty());
        let shared = lane::Entity::find_by_id(UNPROVEN_PUSH_LANE.0).one(fixture.app.context.database.reader());
        assert!(shared.await.expect("a read").is_some(), "the shared lane stays");
        let (status, _) = fixture.app.post_json("/api/push/subscribe", browser.to_json()).await;
        assert_eq!((status, remove_unused(&fixture.app.context).await.expect("a look")), (200, 0));
    }

    async fn what_reached_it_first_is_noted_and_no_later_one(fixture: Fixture) {
        fixture.browser().await;
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        fixture.app.drain().await;
        let mark = push_subscription::Entity::update_many();
        let mark = mark.col_expr(push_subscription::Column::ReachedAt, Expr::value(Millis(7).0));
        mark.exec(fixture.app.context.database.writer()).await.expect("an update");
        fixture.notify(json!({"message": "m", "channels": ["web_push"]})).await;
        fixture.app.drain().await;
        let rows = push_subscription::Entity::find().all(fixture.app.context.database.reader()).await.expect("rows");
        assert_eq!(rows[0].reached_at, Some(7));
    }
}
