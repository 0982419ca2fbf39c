//! Fairness: a lane that hangs holds its share of the slots and no more; lanes that answer are not delayed by it.

use std::time::Duration;

use domain::{id::LaneId, job::QueueName};
use serde_json::json;
use testkit::{Answer, Receiver, Shape, TestApp, on_both_shapes, wait};
use worker::{
    claim::LANES_A_SCAN,
    lanes::{Holder, SendSlot, SendSlots},
};

use crate::{
    claim_loop::AtWork,
    lanes::{deliveries, literal, number},
};

/// Far more than any of this takes; what comes later is a failure.
const SOON: Duration = Duration::from_secs(30);

/// A lane that hangs with thousands due, beside one that answers, and a worker with 40 slots.
async fn a_lane_that_hangs_delays_no_other(shape: Shape) {
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
async fn a_lane_that_hangs_delays_no_other_embedded() {
    a_lane_that_hangs_delays_no_other(Shape::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_hangs_delays_no_other_cluster() {
    a_lane_that_hangs_delays_no_other(Shape::Cluster).await;
}

on_both_shapes! {
    async fn a_scan_passes_lanes_that_hold_their_share(app: TestApp) {
        let mut lanes = vec![];
        for _ in 0..=LANES_A_SCAN {
            lanes.push(app.register("http://127.0.0.1:9/").await.0);
        }
        lanes.sort();
        app.publish(json!({})).await.expect("accepted");
        let last = lanes.pop().expect("one more than a scan looks at");
        // With three more that are free the share of each lane is one.
        let slots = SendSlots::new(lanes.len() + 3);
        let held: Vec<SendSlot> = lanes.iter().map(|lane| slots.try_acquire(&Holder::of_lane(LaneId(*lane))).expect("a slot")).collect();
        let claimer = AtWork::over(&app, slots, std::mem::forget);
        wait::until("the last lane is claimed", SOON, async || (app.leased().await == 1).then_some(())).await;
        let claimed = format!("SELECT count(*) FROM delivery WHERE claim = 1 AND lane_id = {}", literal(&app, last));
        assert_eq!(number(&app, &claimed).await, 1);
        claimer.stop().await;
        drop(held);
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
