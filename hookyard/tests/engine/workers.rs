//! Real workers: slots bound what is held, a stop loses and repeats nothing.

use std::{collections::HashSet, time::Duration};

use serde_json::json;
use testkit::{Answer, Receiver, Shape, TestApp, on_both_shapes};

/// Far more than any of this takes; what comes later is a failure.
const SOON: Duration = Duration::from_secs(30);

async fn publish(app: &TestApp, events: usize) {
    let accepts = (0..events).map(|n| app.publish(json!({"n": n})));
    for accepted in futures_util::future::join_all(accepts).await {
        accepted.expect("accepted");
    }
}

/// SEND_SLOTS bounds what one worker holds, however much is due.
async fn holds_no_more_than_it_can_send(shape: Shape) {
    let app = TestApp::start_with(shape, &[("SEND_SLOTS", "3")]).await;
    let receiver = Receiver::start(0).await.expect("a receiver");
    receiver.answer_always(Answer::Hang);
    for path in ["/a", "/b", "/c"] {
        app.register(&receiver.url(path)).await;
    }
    publish(&app, 40).await;
    let worker = app.work();
    assert_eq!(receiver.wait_for(3, SOON).await.len(), 3);
    let leased = app.leased().await;
    assert_eq!(leased, 3, "no more is claimed than is sent");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_holds_no_more_than_it_can_send_embedded() {
    holds_no_more_than_it_can_send(Shape::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_holds_no_more_than_it_can_send_cluster() {
    holds_no_more_than_it_can_send(Shape::Cluster).await;
}

on_both_shapes! {
    async fn what_is_accepted_arrives(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        let worker = app.work();
        assert_eq!(app.upload(endpoint, "a.txt", "hello\n").await, 200);
        publish(&app, 300).await;
        let calls = receiver.wait_for(301, SOON).await;
        assert_eq!(calls.len(), 301);
        worker.stop().await;
        assert_eq!(app.counts().await, (0, 301));
    }

    async fn a_retry_comes_when_it_is_due(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        receiver.answer([Answer::Status(500)]);
        app.register(&receiver.url("/")).await;
        let worker = app.work();
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        receiver.wait_for(1, SOON).await;
        app.clock.forward(Duration::from_secs(10));
        assert_eq!(receiver.wait_for(2, SOON).await.len(), 2);
        worker.stop().await;
        assert_eq!(app.delivery_of(event).await.attempts, 2);
    }

    async fn a_worker_that_stops_under_load_loses_and_repeats_nothing(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let first = app.work();
        publish(&app, 400).await;
        receiver.wait_for(50, SOON).await;
        first.stop().await;
        let second = app.work();
        receiver.wait_for(400, SOON).await;
        second.stop().await;
        let ids: HashSet<String> = receiver.calls().iter().filter_map(|call| call.webhook_id().map(str::to_owned)).collect();
        assert_eq!((receiver.count(), ids.len()), (400, 400), "each exactly once");
        assert_eq!(app.counts().await, (0, 400));
    }
}
