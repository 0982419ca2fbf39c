//! Fairness: what hangs holds its share of slots, window and looks, and no more; what answers is not delayed by it.

use std::time::Duration;

use domain::{id::EndpointId, job::QueueName};
use serde_json::json;
use testkit::{Answer, Receiver, Shape, TestApp, on_both_shapes};
use uuid::Uuid;
use worker::dispatch::{self, Bounds, Which};

use crate::{
    at_work::AtWork,
    lanes::{deliveries, literal, number, under_way},
};

/// Far more than any of this takes; what comes later is a failure.
const SOON: Duration = Duration::from_secs(30);

/// A lane that hangs with thousands due, beside one that answers, and a worker with 40 slots.
async fn a_lane_that_hangs_delays_nobody(shape: Shape) {
    let app = TestApp::start_with(shape, &[("SEND_SLOTS", "40")]).await;
    let (deaf, well) =
        (Receiver::start(0).await.expect("a receiver"), Receiver::start(0).await.expect("a receiver"));
    deaf.answer_always(Answer::Hang);
    let hanging = app.register(&deaf.url("/")).await;
    let healthy = app.register(&well.url("/")).await;
    deliveries(&app, hanging, 5_000, Duration::from_secs(60)).await;
    let worker = app.work();
    assert_eq!(deaf.wait_for(10, SOON).await.len(), 10);
    deliveries(&app, healthy, 300, Duration::ZERO).await;
    app.context.queue.wake();
    assert_eq!(well.wait_for(300, SOON).await.len(), 300);
    assert_eq!(deaf.count(), 10, "a quarter of the slots");
    let held = app.context.queue.depth(QueueName::Deliveries).await.expect("a depth");
    assert!(held <= 64, "the window is not filled by what can't be sent: {held}");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_hangs_delays_nobody_embedded() {
    a_lane_that_hangs_delays_nobody(Shape::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_hangs_delays_nobody_cluster() {
    a_lane_that_hangs_delays_nobody(Shape::Cluster).await;
}

/// All open deliveries with their lanes.
async fn of_lanes(app: &TestApp) -> Vec<(Uuid, Uuid)> {
    use sea_orm::EntityTrait;
    let rows = entity::delivery::Entity::find().all(app.context.database.reader()).await.expect("rows");
    rows.into_iter().map(|row| (row.id, row.lane_id)).collect()
}

fn bounds(room: usize, share: usize) -> Bounds {
    Bounds { room, share, full: vec![] }
}

on_both_shapes! {
    async fn a_claim_gives_a_lane_its_share_and_the_rest_can_be_put_off(app: TestApp) {
        let (a, b) = (app.register("http://127.0.0.1:9/a").await, app.register("http://127.0.0.1:9/b").await);
        deliveries(&app, a, 50, Duration::ZERO).await;
        deliveries(&app, b, 2, Duration::ZERO).await;
        let work = AtWork::with_slots(&app, 20);
        work.claimer.claim(of_lanes(&app).await).await;
        let leased = async |lane: EndpointId| {
            number(&app, &format!("SELECT count(*) FROM delivery WHERE lease_until > 0 AND lane_id = {}", literal(&app, lane.0))).await
        };
        // One by one a settles at a quarter of twenty.
        assert_eq!((leased(a).await, leased(b).await), (5, 2));
        let marked = number(&app, "SELECT count(*) FROM delivery WHERE hinted_until > 0").await;
        // Twice as many as there are slots wait for these; the others are put off, and after a second those that waited too.
        assert!([5, 45].contains(&marked), "{marked}");
        app.clock.forward(Duration::from_millis(1_500));
        assert_eq!(dispatch::deliveries(&app.context, Uuid::nil(), 100).await.expect("a look").found.len(), 45);
        assert_eq!(number(&app, "SELECT count(*) FROM lane WHERE backlog_until > {now}").await, 1);
        work.stop().await;
    }

    async fn a_lane_that_is_full_gets_nothing_more_and_stops_nobody(app: TestApp) {
        let (a, b) = (app.register("http://127.0.0.1:9/a").await, app.register("http://127.0.0.1:9/b").await);
        deliveries(&app, a, 10, Duration::ZERO).await;
        let work = AtWork::with_slots(&app, 8);
        work.claimer.claim(of_lanes(&app).await).await;
        assert_eq!(app.leased().await, 2, "a quarter of the slots");
        deliveries(&app, b, 1, Duration::ZERO).await;
        work.claimer.claim(of_lanes(&app).await).await;
        assert_eq!(app.leased().await, 3, "the other lane's");
        work.stop().await;
        assert_eq!(number(&app, "SELECT count(*) FROM delivery WHERE claim > 1").await, 0);
    }

    async fn of_one_lane_no_more_is_under_way_than_its_share(app: TestApp) {
        let (a, b) = (app.register("http://127.0.0.1:9/a").await, app.register("http://127.0.0.1:9/b").await);
        deliveries(&app, a, 1_000, Duration::from_secs(5)).await;
        deliveries(&app, b, 10, Duration::ZERO).await;
        let look = async |share| {
            let look = dispatch::deliveries_within(&app.context, Which::After(Uuid::nil()), &bounds(4_096, share)).await.expect("a look");
            look.found.iter().filter(|found| found.lane_id == a.0).count()
        };
        let rounds = [look(100).await, look(100).await, look(100).await, look(101).await];
        assert_eq!(rounds, [100, 0, 0, 1]);
        assert_eq!((under_way(&app, a).await, under_way(&app, b).await), (101, 10));
    }

    async fn a_lane_that_is_full_here_is_left_alone(app: TestApp) {
        let (a, b) = (app.register("http://127.0.0.1:9/a").await, app.register("http://127.0.0.1:9/b").await);
        deliveries(&app, a, 5, Duration::ZERO).await;
        deliveries(&app, b, 5, Duration::ZERO).await;
        let full = Bounds { full: vec![a.0], ..bounds(100, 64) };
        let look = dispatch::deliveries_within(&app.context, Which::After(Uuid::nil()), &full).await.expect("a look");
        assert!(look.found.iter().all(|found| found.lane_id == b.0) && look.found.len() == 5);
        let these = dispatch::deliveries_within(&app.context, Which::These(&[a.0]), &bounds(100, 64)).await.expect("a look");
        assert_eq!(these.found.len(), 5);
    }

    async fn lanes_with_and_without_limits_take_turns_at_a_window_that_is_nearly_full(app: TestApp) {
        let mut lanes = vec![];
        for n in 0..6 {
            let lane = app.register(&format!("http://127.0.0.1:9/{n}")).await;
            deliveries(&app, lane, 80, Duration::ZERO).await;
            if n % 2 == 0 {
                crate::lanes::set_lane(&app, lane, "max_in_flight = 70").await;
            }
            lanes.push(lane);
        }
        let mut cursor = Uuid::nil();
        // Two thirds of what each may give in the first turn.
        for _ in 0..6 * 64 {
            let look = dispatch::deliveries(&app.context, cursor, 1).await.expect("a look");
            cursor = look.stopped_at.unwrap_or_default();
        }
        for lane in lanes {
            let given = under_way(&app, lane).await;
            assert!(given >= 16, "{lane} was starved: {given}");
        }
    }

    async fn a_busy_lane_gets_more_as_soon_as_its_sends_are_recorded(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let lane = app.register(&receiver.url("/")).await;
        crate::lanes::set_lane(&app, lane, "max_in_flight = 1").await;
        let worker = app.work();
        for n in 0..40 {
            app.publish(json!({"n": n})).await.expect("accepted");
        }
        let started = tokio::time::Instant::now();
        assert_eq!(receiver.wait_for(40, SOON).await.len(), 40);
        let took = started.elapsed();
        eprintln!("40 sends, one at a time: {took:?}");
        assert!(took < Duration::from_secs(10), "by the second it would take forty: {took:?}");
        worker.stop().await;
    }
}
