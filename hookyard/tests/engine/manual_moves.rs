//! Manual retry and cancel over HTTP, and their races with claims and records.

use std::time::Duration;

use domain::{
    delivery::{
        DeadReason,
        DeliveryState::{Cancelled, Dead, Pending, Sending, Succeeded},
        NextStep,
    },
    id::{DeliveryId, EventId, UserId},
};
use entity::{
    delivery::{
        manual::{self, Moved},
        record::{RecipientUpdate, SendResultRow},
    },
    scope::Scope,
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use testkit::{Answer, Receiver, TestApp, on_both_shapes};
use tokio_util::sync::CancellationToken;
use worker::{claim::Claimed, record::Recorder};

pub(crate) async fn record(app: &TestApp, ended: Vec<SendResultRow>) {
    let (recorder, records) = Recorder::new(&app.context);
    for ended in ended {
        recorder.record(ended).await;
    }
    drop(recorder);
    records.run(CancellationToken::new()).await;
}

pub(crate) fn ended(delivery: Claimed, next: NextStep) -> SendResultRow {
    SendResultRow {
        delivery: delivery.row,
        attempt: None,
        next,
        spends_position: true,
        lane: None,
        recipient: RecipientUpdate::default(),
    }
}

async fn published(app: &TestApp, answers: Vec<Answer>) -> (Receiver, EventId, DeliveryId) {
    let receiver = Receiver::start(0).await.expect("a receiver");
    receiver.answer(answers);
    app.register(&receiver.url("/")).await;
    let (event, _) = app.publish(json!({"n": 1})).await.expect("accepted");
    let id = app.delivery_of(event).await.id;
    (receiver, event, id)
}

async fn claim_one(app: &TestApp, id: DeliveryId) -> Claimed {
    app.claim(&[id.0]).await.remove(0)
}

async fn kill(app: &TestApp, id: DeliveryId) {
    let claimed = claim_one(app, id).await;
    record(app, vec![ended(claimed, NextStep::DeadLetter(DeadReason::ScheduleSpent))]).await;
}

/// Retries or cancels a delivery; returns status and body.
async fn act(app: &TestApp, id: DeliveryId, verb: &str) -> (u16, Value) {
    let url = format!("{}/v1/deliveries/{id}/{verb}", app.base);
    let answer = app.http.post(url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn shown(app: &TestApp, id: DeliveryId) -> Value {
    let answer = app.http.get(format!("{}/v1/deliveries/{id}", app.base)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.json().await.expect("JSON")
}

async fn execute(app: &TestApp, sql: &str) {
    app.context.database.writer().execute_unprepared(sql).await.expect(sql);
}

async fn refused(app: &TestApp, id: DeliveryId, verb: &str, why: &str) {
    let (status, response) = act(app, id, verb).await;
    assert_eq!((status, &response["code"]), (409, &json!("conflict")), "{verb}: {response}");
    assert!(response["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{verb}: {response}");
}

/// Waits until the leases of the accept have ended: nothing but the story's own claims.
fn let_leases_end(app: &TestApp) {
    app.clock.forward(Duration::from_secs(16));
}

on_both_shapes! {
    async fn a_dead_letter_that_is_retried_arrives_and_its_attempts_go_on_being_counted(app: TestApp) {
        let (receiver, event, id) = published(&app, vec![Answer::Status(500)]).await;
        app.drain().await;
        app.clock.forward(Duration::from_secs(10));
        kill(&app, id).await;
        let dead = shown(&app, id).await;
        assert_eq!((&dead["state"], &dead["reason"]), (&json!("dead"), &json!("schedule_spent")));
        assert_eq!(dead["attempts"][0]["status_code"], 500);
        assert_eq!(dead["why"], "The only attempt failed: the receiver answered 500. It is kept as a dead letter and is not retried automatically.");
        let (status, response) = act(&app, id, "retry").await;
        assert_eq!((status, &response["state"], &response["attempt_count"]), (200, &json!("pending"), &json!(1)), "{response}");
        assert!(response["why"].as_str().is_some_and(|why| why.starts_with("Retry requested after 1 failed attempt")), "{response}");
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.id, delivery.state, delivery.attempts), (id, Succeeded, 2));
        let numbers: Vec<i32> = app.attempts_of(id).await.iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, [1, 2]);
        let calls = receiver.calls();
        assert_eq!(calls[0].webhook_id(), calls[1].webhook_id());
        refused(&app, id, "retry", "has been delivered").await;
    }

    async fn a_retry_makes_a_waiting_delivery_due_and_begins_its_schedule_again(app: TestApp) {
        let (receiver, event, id) = published(&app, vec![Answer::Status(500), Answer::Status(500)]).await;
        app.drain().await;
        assert_eq!(act(&app, id, "retry").await.0, 200);
        app.drain().await;
        assert_eq!(receiver.count(), 2, "at once");
        let wait = app.delivery_of(event).await.due_at.expect("under way") - app.clock.now().0;
        assert!(wait < 7_000, "the first wait of the schedule again, not the second: {wait}");
        app.clock.forward(Duration::from_secs(7));
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.attempts), (Succeeded, 3));
    }

    async fn what_killed_its_workers_gets_twenty_claims_more(app: TestApp) {
        let (_receiver, event, id) = published(&app, vec![]).await;
        for _ in 0..20 {
            claim_one(&app, id).await;
            app.clock.forward(Duration::from_secs(46));
        }
        assert_eq!(act(&app, id, "retry").await.0, 200);
        app.drain().await;
        assert_eq!(app.delivery_of(event).await.state, Succeeded);
    }

    async fn nothing_is_retried_or_cancelled_while_it_is_sent(app: TestApp) {
        let (_receiver, event, id) = published(&app, vec![]).await;
        let claimed = claim_one(&app, id).await;
        refused(&app, id, "retry", "sending").await;
        refused(&app, id, "cancel", "sending").await;
        assert_eq!(app.delivery_of(event).await.state, Sending);
        record(&app, vec![ended(claimed, NextStep::RetryIn(Duration::from_secs(60)))]).await;
        assert_eq!(act(&app, id, "cancel").await.0, 200);
        assert_eq!(app.delivery_of(event).await.state, Cancelled);
    }

    async fn what_is_cancelled_is_not_sent_and_may_be_retried(app: TestApp) {
        let (receiver, event, id) = published(&app, vec![]).await;
        execute(&app, "UPDATE lane SET state = 'paused'").await;
        assert_eq!(shown(&app, id).await["state"], "held");
        let (status, response) = act(&app, id, "cancel").await;
        assert_eq!((status, &response["state"], &response["next_attempt_at"]), (200, &json!("cancelled"), &json!(null)), "{response}");
        assert!(response["why"].as_str().is_some_and(|why| why.starts_with("Cancelled by the owner.")));
        execute(&app, "UPDATE lane SET state = 'active'").await;
        app.drain().await;
        assert_eq!(receiver.count(), 0);
        refused(&app, id, "cancel", "has ended").await;
        assert_eq!(act(&app, id, "retry").await.0, 200);
        app.drain().await;
        assert_eq!((app.delivery_of(event).await.state, receiver.count()), (Succeeded, 1));
        refused(&app, id, "cancel", "has ended").await;
    }

    async fn what_cannot_be_sent_again_is_not_retried(app: TestApp) {
        let (_receiver, _, id) = published(&app, vec![]).await;
        let (open, _) = app.publish(json!({"n": 2})).await.expect("accepted");
        kill(&app, id).await;
        execute(&app, "UPDATE lane SET state = 'deleted'").await;
        refused(&app, id, "retry", "endpoint was deleted").await;
        refused(&app, app.delivery_of(open).await.id, "retry", "endpoint was deleted").await;
        execute(&app, "UPDATE lane SET state = 'active'").await;
        execute(&app, "DELETE FROM event").await;
        refused(&app, id, "retry", "no longer kept").await;
        for verb in ["retry", "cancel"] {
            assert_eq!(act(&app, DeliveryId::new(), verb).await.0, 404);
        }
    }

    async fn an_old_dead_letter_is_shown_and_retried_with_what_it_kept(app: TestApp) {
        let (receiver, event, id) = published(&app, vec![]).await;
        kill(&app, id).await;
        execute(&app, "INSERT INTO dead_letter (id, event_id, user_id, lane_id, channel, recipient_id, event_type, body, reason, position, attempts, claim, created_at, finished_at)
            SELECT f.id, f.event_id, f.user_id, f.lane_id, f.channel, f.recipient_id, e.event_type, e.body, f.reason, f.position, f.attempts, f.claim, f.created_at, f.finished_at
            FROM finished_delivery f JOIN event e ON e.id = f.event_id").await;
        execute(&app, "DELETE FROM finished_delivery").await;
        execute(&app, "DELETE FROM event").await;
        let response = shown(&app, id).await;
        assert_eq!((&response["state"], &response["type"]), (&json!("dead"), &json!("upload file")), "{response}");
        refused(&app, id, "cancel", "has ended").await;
        assert_eq!(act(&app, id, "retry").await.0, 200);
        app.drain().await;
        assert_eq!((app.delivery_of(event).await.state, receiver.count()), (Succeeded, 1));
        assert_eq!(receiver.calls()[0].webhook_id(), Some(event.to_string().as_str()));
    }

    async fn manual_moves_reach_only_deliveries_of_the_user(app: TestApp) {
        let (_receiver, event, id) = published(&app, vec![]).await;
        let (database, clock) = (&app.context.database, &app.context.clock);
        let other_user = Scope::User(UserId(2));
        assert_eq!(manual::cancel(database, clock, other_user, id).await.expect("a look"), Moved::Missing);
        assert_eq!(manual::retry(database, clock, other_user, id).await.expect("a look"), Moved::Missing);
        let moved = manual::cancel(database, clock, Scope::User(UserId(1)), id).await.expect("its own");
        assert_eq!(moved, Moved::Done("webhook".to_owned()));
        assert_eq!(manual::retry(database, clock, other_user, id).await.expect("a look"), Moved::Missing);
        assert_eq!(app.delivery_of(event).await.state, Cancelled);
    }

    async fn of_a_claim_and_a_cancel_at_the_same_moment_exactly_one_wins(app: TestApp) {
        let (_receiver, _, first) = published(&app, vec![]).await;
        let mut ids = vec![first];
        for n in 0..24 {
            let (event, _) = app.publish(json!({"n": n})).await.expect("accepted");
            ids.push(app.delivery_of(event).await.id);
        }
        for id in ids {
            let mine = [id.0];
            let (claimed, (status, _)) = tokio::join!(app.claim(&mine), act(&app, id, "cancel"));
            let claimed = claimed.len();
            match status {
                200 => assert_eq!(claimed, 0, "cancelled and sent"),
                // On Postgres the claim skips the row that the manual action locks, never the other way round.
                409 => assert_eq!(claimed, 1),
                other => panic!("{other}"),
            }
        }
    }

    async fn a_record_and_manual_moves_at_the_same_moment_leave_one_row(app: TestApp) {
        let (_receiver, event, id) = published(&app, vec![]).await;
        let_leases_end(&app);
        for round in 0..16 {
            let stalled = claim_one(&app, id).await;
            // The lease is over: manual actions are allowed, and the record may still arrive.
            app.clock.forward(Duration::from_secs(46));
            let next = if round % 2 == 0 { NextStep::RetryIn(Duration::from_secs(60)) } else { NextStep::DeadLetter(DeadReason::Rejected) };
            let late = record(&app, vec![ended(stalled, next)]);
            let (first, second, ()) = tokio::join!(act(&app, id, "cancel"), act(&app, id, "retry"), late);
            assert!([200, 409].contains(&first.0) && second.0 == 200, "{first:?} {second:?}");
            let left = app.deliveries_of(event).await;
            assert_eq!(left.len(), 1, "{left:?}");
            assert!([Pending, Cancelled, Dead].contains(&left[0].state), "{left:?}");
            if left[0].state != Pending {
                assert_eq!(act(&app, id, "retry").await.0, 200);
            }
            // Due by now, whichever came last.
            app.clock.forward(Duration::from_secs(120));
        }
    }

    async fn many_retries_of_one_dead_letter_at_once_bring_one_delivery_back(app: TestApp) {
        let (receiver, event, id) = published(&app, vec![]).await;
        kill(&app, id).await;
        let answers = futures_util::future::join_all((0..12).map(|_| act(&app, id, "retry"))).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        assert_eq!(app.deliveries_of(event).await.len(), 1);
        app.drain().await;
        assert_eq!((app.delivery_of(event).await.state, receiver.count()), (Succeeded, 1));
    }
}
