//! The next step after each kind of response.

use std::time::Duration;

use domain::delivery::DeliveryState::{Dead, Pending, Succeeded};
use serde_json::json;
use testkit::{Answer, Receiver, TestApp, on_both_shapes};

async fn hooked(app: &TestApp, answers: Vec<Answer>) -> Receiver {
    let receiver = Receiver::start(0).await.expect("a receiver");
    receiver.answer(answers);
    app.register(&receiver.url("/")).await;
    receiver
}

on_both_shapes! {
    async fn a_failing_endpoint_is_tried_again_later_under_the_same_id(app: TestApp) {
        let receiver = hooked(&app, vec![Answer::Status(500)]).await;
        let (event, _) = app.publish(json!({"n": 1})).await.expect("accepted");
        app.drain().await;
        assert_eq!(app.delivery_of(event).await.state, Pending);
        app.clock.forward(Duration::from_secs(3));
        app.drain().await;
        assert_eq!(receiver.count(), 1, "5 s, less a fifth, have not passed");
        app.clock.forward(Duration::from_secs(4));
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.attempts), (Succeeded, 2));
        let calls = receiver.calls();
        assert_eq!(calls[0].webhook_id(), calls[1].webhook_id());
        assert_eq!(calls[0].body, calls[1].body, "byte for byte");
        assert_ne!(calls[0].headers["webhook-signature"], calls[1].headers["webhook-signature"], "its own timestamp");
    }

    async fn each_attempt_is_kept_with_what_came_back(app: TestApp) {
        let answer = Answer::StatusWith {
            status: 500,
            headers: vec![("x-reason".into(), "tired".into())],
            body: "no".repeat(10_000).into(),
        };
        let _receiver = hooked(&app, vec![answer]).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        app.drain().await;
        let attempts = app.attempts_of(app.delivery_of(event).await.id).await;
        assert_eq!(attempts.len(), 1);
        let attempt = &attempts[0];
        assert_eq!((attempt.number, attempt.claim, attempt.status_code), (1, 1, Some(500)));
        assert_eq!(attempt.error_class.as_deref(), Some("status"));
        assert_eq!(attempt.response_body.as_ref().map(Vec::len), Some(16 * 1024), "the head of the body");
        assert!(attempt.response_headers.as_ref().is_some_and(|headers| headers.contains("tired")));
        assert!(attempt.duration_us > 0 && attempt.first_byte_us.is_some());
        let errors = app.errors().await;
        assert_eq!((errors.len(), errors[0].attempt), (1, Some(1)));
        assert!(errors[0].next_retry_at.is_some_and(|at| at > errors[0].created_at));
    }

    async fn a_410_ends_the_delivery_and_disables_the_endpoint(app: TestApp) {
        let receiver = hooked(&app, vec![Answer::Status(410)]).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.reason.as_deref()), (Dead, Some("gone")));
        let (held, accepted) = app.publish(json!({})).await.expect("accepted");
        assert_eq!(accepted.deliveries, 1, "kept, and held");
        app.drain().await;
        assert_eq!((app.delivery_of(held).await.state, receiver.count()), (Pending, 1));
    }

    async fn an_overload_slows_the_whole_lane_for_as_long_as_was_asked(app: TestApp) {
        let busy = Answer::StatusWith {
            status: 429,
            headers: vec![("retry-after".into(), "60".into())],
            body: "".into(),
        };
        let receiver = hooked(&app, vec![busy]).await;
        app.publish(json!({"n": 1})).await.expect("accepted");
        app.drain().await;
        app.publish(json!({"n": 2})).await.expect("accepted");
        app.clock.forward(Duration::from_secs(50));
        app.drain().await;
        assert_eq!(receiver.count(), 1, "not even the second one is sent");
        app.clock.forward(Duration::from_secs(15));
        app.drain().await;
        assert_eq!(receiver.count(), 3);
    }

    async fn a_dropped_connection_and_a_redirect_are_failures_of_their_class(app: TestApp) {
        let redirect = Answer::StatusWith {
            status: 302,
            headers: vec![("location".into(), "/elsewhere".into())],
            body: "".into(),
        };
        let receiver = hooked(&app, vec![Answer::Drop, redirect]).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        app.drain().await;
        app.clock.forward(Duration::from_secs(10));
        app.drain().await;
        let attempts = app.attempts_of(app.delivery_of(event).await.id).await;
        let classes: Vec<_> = attempts.iter().filter_map(|attempt| attempt.error_class.as_deref()).collect();
        assert_eq!(classes, ["reset", "redirect"]);
        assert_eq!(receiver.count(), 2, "the redirect was not followed");
    }

    async fn a_delivery_that_kills_its_workers_is_dead_after_twenty_claims(app: TestApp) {
        let receiver = hooked(&app, vec![]).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        let id = app.delivery_of(event).await.id.0;
        for _ in 0..20 {
            assert_eq!(app.claim(&[id]).await.len(), 1);
            app.clock.forward(Duration::from_secs(46));
        }
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.reason.as_deref()), (Dead, Some("worker_lost")));
        assert_eq!((receiver.count(), delivery.attempts), (0, 0));
    }

    async fn a_crash_costs_a_claim_and_not_a_retry(app: TestApp) {
        let receiver = hooked(&app, vec![]).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        let id = app.delivery_of(event).await.id.0;
        for _ in 0..19 {
            app.claim(&[id]).await;
            app.clock.forward(Duration::from_secs(46));
        }
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.attempts, delivery.claim), (Succeeded, 1, 20));
        assert_eq!(receiver.count(), 1);
    }
}
