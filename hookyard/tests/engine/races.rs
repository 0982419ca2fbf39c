//! Races between claim and record, and their winners.

use std::time::Duration;

use domain::delivery::{
    DeliveryState::{Pending, Sending, Succeeded},
    NextStep,
};
use entity::lease;
use serde_json::json;
use testkit::{Receiver, TestApp, on_both_shapes};
use uuid::Uuid;

use crate::manual_moves::{ended, record};

async fn one_delivery(app: &TestApp) -> (Receiver, domain::id::EventId, Uuid) {
    let receiver = Receiver::start(0).await.expect("a receiver");
    app.register(&receiver.url("/")).await;
    let (event, _) = app.publish(json!({})).await.expect("accepted");
    let id = app.delivery_of(event).await.id.0;
    (receiver, event, id)
}

on_both_shapes! {
    async fn many_claims_at_once_get_a_delivery_once(app: TestApp) {
        let (_receiver, _, id) = one_delivery(&app).await;
        let ids = [id];
        let claims = (0..20).map(|_| app.claim(&ids));
        let claimed: usize = futures_util::future::join_all(claims).await.iter().map(Vec::len).sum();
        assert_eq!(claimed, 1);
    }

    async fn a_worker_that_stalled_past_its_lease_undoes_nothing(app: TestApp) {
        let (_receiver, event, id) = one_delivery(&app).await;
        let stalled = app.claim(&[id]).await.remove(0);
        assert!(app.claim(&[id]).await.is_empty(), "the lease holds");
        app.clock.forward(Duration::from_secs(16));
        let heir = app.claim(&[id]).await.remove(0);
        record(&app, vec![ended(heir, NextStep::Succeed)]).await;
        record(&app, vec![ended(stalled, NextStep::RetryIn(Duration::from_secs(1)))]).await;
        assert_eq!(app.delivery_of(event).await.state, Succeeded);
    }

    async fn a_stalled_worker_does_not_take_the_delivery_from_its_new_owner(app: TestApp) {
        let (_receiver, event, id) = one_delivery(&app).await;
        let stalled = app.claim(&[id]).await.remove(0);
        app.clock.forward(Duration::from_secs(16));
        let heir = app.claim(&[id]).await.remove(0);
        record(&app, vec![ended(stalled, NextStep::Succeed)]).await;
        assert_eq!(app.delivery_of(event).await.state, Sending, "its heir is sending");
        record(&app, vec![ended(heir, NextStep::RetryIn(Duration::from_secs(60)))]).await;
        assert_eq!(app.delivery_of(event).await.state, Pending);
    }

    async fn a_record_that_is_written_twice_moves_once(app: TestApp) {
        let (_receiver, event, id) = one_delivery(&app).await;
        let claimed = app.claim(&[id]).await.remove(0);
        let retry = ended(claimed, NextStep::RetryIn(Duration::from_secs(60)));
        record(&app, vec![retry.clone()]).await;
        let due_at = app.delivery_of(event).await.due_at;
        app.clock.forward(Duration::from_secs(30));
        record(&app, vec![retry]).await;
        assert_eq!(app.delivery_of(event).await.due_at, due_at);
    }

    async fn a_lease_that_is_given_back_can_be_claimed_at_once_and_costs_no_claim(app: TestApp) {
        let (_receiver, _, id) = one_delivery(&app).await;
        for _ in 0..25 {
            let claimed = app.claim(&[id]).await.remove(0);
            assert!(!claimed.is_deadly());
            let lease = [(claimed.id().0, claimed.claim)];
            lease::release(&app.context.database, lease::Table::Deliveries, &lease).await.expect("released");
        }
    }

    async fn a_lease_lasts_fifteen_seconds(app: TestApp) {
        let (_receiver, _, id) = one_delivery(&app).await;
        app.claim(&[id]).await;
        app.clock.forward(Duration::from_secs(14));
        assert!(app.claim(&[id]).await.is_empty());
        app.clock.forward(Duration::from_secs(2));
        assert_eq!(app.claim(&[id]).await.len(), 1);
    }

    async fn many_are_recorded_together_whatever_became_of_each(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let mut ids = vec![];
        for n in 0..600 {
            let (event, _) = app.publish(json!({"n": n})).await.expect("accepted");
            ids.push(event);
        }
        let open: Vec<Uuid> = futures_util::future::join_all(ids.iter().map(|event| app.delivery_of(*event))).await.into_iter().map(|delivery| delivery.id.0).collect();
        let claimed = app.claim(&open).await;
        assert_eq!(claimed.len(), 600);
        let steps = claimed.into_iter().enumerate().map(|(n, delivery)| {
            let next = if n % 3 == 0 { NextStep::RetryIn(Duration::from_secs(60)) } else { NextStep::Succeed };
            ended(delivery, next)
        });
        record(&app, steps.collect()).await;
        assert_eq!(app.counts().await, (200, 400));
    }
}
