//! The dispatcher: what is due and in nobody's hands is found, lane by lane.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::job::{Hint, QueueName};
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{Receiver, TestApp, on_both_shapes};
use uuid::Uuid;
use worker::dispatch::{self, Dispatcher, Feed};

/// Keeps what it is fed.
#[derive(Clone, Default)]
struct Fed(Arc<Mutex<Vec<Uuid>>>);

impl Feed for Fed {
    async fn feed(&self, _: QueueName, hint: Hint) {
        self.0.lock().expect("not poisoned").extend(hint.ids);
    }
}

async fn publish(app: &TestApp, events: usize) {
    let accepts = (0..events).map(|n| app.publish(json!({"n": n})));
    for accepted in futures_util::future::join_all(accepts).await {
        accepted.expect("accepted");
    }
}

/// Hints are trusted for 15 s; afterwards every row is the dispatcher's.
fn let_hints_run_out(app: &TestApp) {
    app.clock.forward(Duration::from_secs(16));
}

on_both_shapes! {
    async fn what_was_hinted_is_left_alone_until_its_hint_runs_out(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        publish(&app, 10).await;
        let first = dispatch::deliveries(&app.context, Uuid::nil(), 100).await.expect("a look").found;
        let_hints_run_out(&app);
        let second = dispatch::deliveries(&app.context, Uuid::nil(), 100).await.expect("a look").found;
        assert_eq!(second.len(), 10, "all, whether they had been hinted or just looked at");
        assert!(first.len() <= 10 && second.iter().all(|found| found.rescued));
        let third = dispatch::deliveries(&app.context, Uuid::nil(), 100).await.expect("a look").found;
        assert_eq!(third, [], "marked by the look before");
    }

    async fn a_lane_gives_at_most_its_part_of_a_look_and_lanes_come_in_turn(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        for path in ["/a", "/b", "/c"] {
            app.register(&receiver.url(path)).await;
        }
        publish(&app, 65).await;
        let_hints_run_out(&app);
        // A third of the room, which is 64.
        let look = dispatch::deliveries(&app.context, Uuid::nil(), 194).await.expect("a look");
        let mut lanes = BTreeMap::new();
        look.found.iter().for_each(|found| *lanes.entry(found.lane_id).or_insert(0) += 1);
        assert_eq!(lanes.into_values().collect::<Vec<_>>(), [64, 64, 64]);
        assert_eq!(look.stopped_at, None, "every lane was passed");
        let rest = dispatch::deliveries(&app.context, Uuid::nil(), 1_000).await.expect("a look");
        assert_eq!(rest.found.len(), 3);
    }

    async fn a_look_takes_no_more_than_there_is_room_and_the_next_goes_on_behind_it(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        for n in 0..6 {
            app.register(&receiver.url(&format!("/{n}"))).await;
        }
        publish(&app, 10).await;
        let_hints_run_out(&app);
        let first = dispatch::deliveries(&app.context, Uuid::nil(), 15).await.expect("a look");
        assert_eq!(first.found.len(), 15);
        let stopped_at = first.stopped_at.expect("there is more behind");
        let second = dispatch::deliveries(&app.context, stopped_at, 15).await.expect("a look");
        assert!(second.found.iter().all(|found| found.lane_id > stopped_at));
        assert_eq!(second.found.len(), 15);
    }

    async fn a_paused_lane_is_passed_over_and_comes_back_when_resumed(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        publish(&app, 3).await;
        let_hints_run_out(&app);
        let set = async |state: &str| {
            let sql = format!("UPDATE lane SET state = '{state}'");
            app.context.database.writer().execute_unprepared(&sql).await.expect("one row's change");
        };
        set("paused").await;
        let look = async || dispatch::deliveries(&app.context, Uuid::nil(), 100).await.expect("a look").found.len();
        assert_eq!(look().await, 0);
        app.drain().await;
        assert_eq!(receiver.count(), 0, "held");
        set("active").await;
        assert_eq!(look().await, 3);
    }

    async fn rounds_hand_on_all_that_is_due_within_the_window(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        for n in 0..4 {
            app.register(&receiver.url(&format!("/{n}"))).await;
        }
        publish(&app, 100).await;
        let_hints_run_out(&app);
        let mut dispatcher = Dispatcher::new(app.context.clone(), Fed::default());
        while dispatcher.round().await.expect("a round") != dispatch::Rest::Nothing {}
        let held = app.context.queue.depth(QueueName::Deliveries).await.expect("a depth");
        assert!((400..=4_096).contains(&held), "all of them, lanes with more than 64 included: {held}");
        let left = dispatch::deliveries(&app.context, Uuid::nil(), 100).await.expect("a look").found;
        assert_eq!(left, []);
    }
}
