//! What a look takes of lanes that have a backlog, and how it is known that they have one.

use std::time::Duration;

use domain::{
    id::EndpointId,
    job::{Hint, QueueName},
};
use testkit::{TestApp, on_both_shapes};
use uuid::Uuid;
use worker::{
    claim::{Backlogs, Slots},
    dispatch::{self, Dispatcher, Feed, Rest, Waiting},
};

use crate::lanes::{deliveries, literal, number, run, set_lane, under_way};

/// Nobody works what is found.
struct Nobody;

impl Feed for Nobody {
    async fn feed(&self, _: QueueName, _: Hint) {}
}

const DUE: Duration = Duration::ZERO;

async fn lanes(app: &TestApp, count: usize) -> Vec<EndpointId> {
    let mut lanes = vec![];
    for n in 0..count {
        lanes.push(app.register(&format!("http://127.0.0.1:9/{n}")).await);
    }
    lanes
}

/// How many rows of each lane the next look takes.
async fn taken(app: &TestApp, lanes: &[EndpointId]) -> Vec<usize> {
    let look = dispatch::deliveries(&app.context, Uuid::nil(), 4_096).await.expect("a look");
    let of = |lane: &EndpointId| look.found.iter().filter(|found| found.lane_id == lane.0).count();
    lanes.iter().map(of).collect()
}

on_both_shapes! {
    async fn a_lane_that_gave_64_has_a_backlog(app: TestApp) {
        let lanes = lanes(&app, 2).await;
        deliveries(&app, lanes[0], 63, DUE).await;
        deliveries(&app, lanes[1], 64, DUE).await;
        assert_eq!(taken(&app, &lanes).await, [63, 64]);
        let noted = async |lane: EndpointId| {
            let lane = literal(&app, lane.0);
            number(&app, &format!("SELECT count(*) FROM lane WHERE id = {lane} AND backlog_until BETWEEN {{now}} + 1 AND {{now}} + 3000")).await
        };
        assert_eq!((noted(lanes[0]).await, noted(lanes[1]).await), (0, 1));
    }

    async fn a_round_ends_with_the_last_lane_also_when_that_gave_something(app: TestApp) {
        let lanes = lanes(&app, 1).await;
        deliveries(&app, lanes[0], 600, DUE).await;
        let mut dispatcher = Dispatcher::new(app.context.clone(), Nobody);
        assert_eq!(dispatcher.round().await.expect("a round"), Rest::More);
        assert_eq!(under_way(&app, lanes[0]).await, 512, "its share");
        assert_eq!(dispatcher.round().await.expect("a round"), Rest::Nothing);
    }

    async fn a_lane_with_a_backlog_is_left_to_the_claimer_and_one_with_limits_is_not(app: TestApp) {
        let lanes = lanes(&app, 3).await;
        set_lane(&app, lanes[1], "max_in_flight = 600").await;
        for (lane, count) in lanes.iter().zip([200, 200, 63]) {
            deliveries(&app, *lane, count, DUE).await;
        }
        let backlogs = Backlogs::default();
        let mut dispatcher = Dispatcher::new(app.context.clone(), Nobody);
        dispatcher = dispatcher.with_slots(Slots::new(1_024), backlogs.clone(), Waiting::default());
        dispatcher.round().await.expect("a round");
        assert_eq!(backlogs.lanes(), [lanes[0].0]);
        assert_eq!(under_way(&app, lanes[0]).await, 200, "what it was noticed by is hinted");
        run(&app, "UPDATE delivery SET hinted_until = 0").await;
        dispatcher.round().await.expect("a round");
        assert_eq!(under_way(&app, lanes[0]).await, 0, "looks leave it alone");
        assert_eq!((under_way(&app, lanes[1]).await, under_way(&app, lanes[2]).await), (64, 63));
    }

    async fn the_fewer_lanes_are_due_the_more_a_look_takes_of_each(app: TestApp) {
        let lanes = lanes(&app, 17).await;
        for lane in &lanes {
            deliveries(&app, *lane, 600, DUE).await;
        }
        for (due, rows) in [(1, 512), (3, 341), (15, 68), (16, 64), (17, 64)] {
            // Lanes that are not due do not count.
            run(&app, "UPDATE delivery SET hinted_until = 0, due_at = {now} + 3600000").await;
            for lane in &lanes[..due] {
                let lane = literal(&app, lane.0);
                run(&app, &format!("UPDATE delivery SET due_at = {{now}} WHERE lane_id = {lane}")).await;
            }
            let expected: Vec<usize> = (0..17).map(|place| if place < due { rows } else { 0 }).collect();
            assert_eq!(taken(&app, &lanes).await, expected, "{due} lanes are due");
        }
    }
}
