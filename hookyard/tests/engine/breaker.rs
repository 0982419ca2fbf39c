//! The breaker of a lane, by records: when it opens, what lengthens it, what closes it, and when a lane is disabled.

use std::time::Duration;

use domain::{
    clock::Millis,
    delivery::{LaneSend, NextStep, Verdict},
    id::{AttemptId, EndpointId},
};
use entity::{
    delivery::record::{AttemptRow, RecipientUpdate, SendResultRow},
    lane,
};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::json;
use testkit::{Answer, Receiver, TestApp, on_both_shapes};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::{claim::Claimed, record::Recorder};

const MINUTE: Duration = Duration::from_secs(60);

/// Registers an endpoint and claims so many deliveries to it, which are never sent.
async fn claimed(app: &TestApp, count: usize) -> (EndpointId, Vec<Claimed>) {
    let endpoint = app.register("http://127.0.0.1:9/").await;
    (endpoint, more(app, count).await)
}

async fn more(app: &TestApp, count: usize) -> Vec<Claimed> {
    let mut ids: Vec<Uuid> = vec![];
    for n in 0..count {
        let (event, _) = app.publish(json!({"n": n})).await.expect("accepted");
        ids.push(app.delivery_of(event).await.id.0);
    }
    let claimed = app.claim(&ids).await;
    assert_eq!(claimed.len(), count);
    claimed
}

async fn record(app: &TestApp, ended: Vec<SendResultRow>) {
    let (recorder, records) = Recorder::new(&app.context);
    for ended in ended {
        recorder.record(ended).await;
    }
    drop(recorder);
    records.run(CancellationToken::new()).await;
}

fn ended(delivery: &Claimed, at: i64, verdict: Verdict) -> SendResultRow {
    let lane = Some(LaneSend { started_at: Millis(at), verdict });
    let next = NextStep::RetryIn(Duration::from_secs(3600));
    SendResultRow {
        delivery: delivery.row.clone(),
        attempt: None,
        next,
        spends_position: true,
        lane,
        recipient: RecipientUpdate::default(),
    }
}

/// Each started a millisecond after the one before.
fn all(claimed: &[Claimed], verdict: Verdict) -> Vec<SendResultRow> {
    let first = claimed[0].claimed_at;
    (first..).zip(claimed).map(|(at, claimed)| ended(claimed, at, verdict)).collect()
}

async fn lane_of(app: &TestApp, endpoint: EndpointId) -> lane::Model {
    let lane = lane::Entity::find_by_id(endpoint.0).one(app.context.database.reader()).await;
    lane.expect("a lane").expect("its lane")
}

async fn set(app: &TestApp, columns: &str) {
    let sql = format!("UPDATE lane SET {columns}");
    app.context.database.writer().execute_unprepared(&sql).await.expect("changed");
}

on_both_shapes! {
    async fn nine_failures_leave_the_breaker_closed_and_the_tenth_opens_it(app: TestApp) {
        let (endpoint, claimed) = claimed(&app, 10).await;
        record(&app, all(&claimed[..9], Verdict::Failed)).await;
        let nine = lane_of(&app, endpoint).await;
        assert_eq!((nine.failures, nine.breaker_until), (9, 0));
        assert_eq!(nine.failing_since, claimed[0].claimed_at);
        record(&app, vec![ended(&claimed[9], claimed[0].claimed_at + 9, Verdict::Failed)]).await;
        let ten = lane_of(&app, endpoint).await;
        assert_eq!((ten.failures, ten.breaker_wait, ten.state.as_str()), (10, 30_000, "active"));
        assert!(ten.breaker_until >= claimed[0].claimed_at + 30_000, "{ten:?}");
    }

    async fn failures_count_whichever_worker_records_them(app: TestApp) {
        let (endpoint, claimed) = claimed(&app, 60).await;
        let parts: Vec<Vec<SendResultRow>> = all(&claimed, Verdict::Failed).chunks(6).map(<[SendResultRow]>::to_vec).collect();
        futures_util::future::join_all(parts.into_iter().map(|part| record(&app, part))).await;
        let lane = lane_of(&app, endpoint).await;
        assert_eq!((lane.failures, lane.breaker_wait), (60, 30_000), "late ones do not lengthen it");
        assert_eq!(lane.failing_since, claimed[0].claimed_at);
    }

    async fn slow_failures_from_before_a_success_do_not_count(app: TestApp) {
        let (endpoint, claimed) = claimed(&app, 12).await;
        let start = claimed[0].claimed_at;
        record(&app, vec![ended(&claimed[0], start + 100, Verdict::Succeeded)]).await;
        assert_eq!(lane_of(&app, endpoint).await.succeeded_at, start + 100);
        record(&app, all(&claimed[1..], Verdict::Failed)).await;
        let lane = lane_of(&app, endpoint).await;
        assert_eq!((lane.failures, lane.breaker_until), (0, 0));
    }

    async fn successes_are_written_once_a_second_and_end_a_run_at_once(app: TestApp) {
        let (endpoint, claimed) = claimed(&app, 5).await;
        let start = claimed[0].claimed_at;
        let known = async |n: usize, at, verdict| {
            record(&app, vec![ended(&claimed[n], start + at, verdict)]).await;
            let lane = lane_of(&app, endpoint).await;
            (lane.succeeded_at - start, lane.failures)
        };
        assert_eq!(known(0, 0, Verdict::Succeeded).await, (0, 0));
        assert_eq!(known(1, 1_000, Verdict::Succeeded).await, (0, 0), "known well enough");
        assert_eq!(known(2, 1_001, Verdict::Succeeded).await, (1_001, 0));
        assert_eq!(known(3, 1_002, Verdict::Failed).await, (1_001, 1));
        assert_eq!(known(4, 1_003, Verdict::Succeeded).await, (1_003, 0));
    }

    async fn a_failed_probe_doubles_the_wait_and_one_that_succeeds_closes(app: TestApp) {
        let (endpoint, claimed) = claimed(&app, 12).await;
        record(&app, all(&claimed[..10], Verdict::Failed)).await;
        let until = lane_of(&app, endpoint).await.breaker_until;
        record(&app, vec![ended(&claimed[10], until, Verdict::Failed)]).await;
        let lane = lane_of(&app, endpoint).await;
        assert_eq!((lane.breaker_wait, lane.failures), (60_000, 11));
        let mut woken = app.context.queue.woken();
        woken.mark_unchanged();
        record(&app, vec![ended(&claimed[11], lane.breaker_until, Verdict::Succeeded)]).await;
        let closed = lane_of(&app, endpoint).await;
        assert_eq!((closed.breaker_until, closed.breaker_wait, closed.failures), (0, 0, 0));
        assert!(closed.drain_before >= claimed[0].claimed_at, "what waited drains");
        tokio::time::timeout(Duration::from_secs(10), woken.changed()).await.expect("the claimer is woken").expect("a bell");
    }

    async fn a_record_that_is_written_twice_counts_its_failure_once(app: TestApp) {
        let (endpoint, claimed) = claimed(&app, 1).await;
        let attempt = AttemptRow {
            id: AttemptId::new(), number: 1, started_at: Millis(claimed[0].claimed_at), duration: MINUTE, resolve: None,
            connect: None, first_byte: None, status_code: Some(500), error_class: Some("status"), error: None,
            request_headers: "{}".to_owned(), response_headers: None, response_body: vec![],
        };
        let failed = SendResultRow { attempt: Some(attempt), ..ended(&claimed[0], claimed[0].claimed_at, Verdict::Failed) };
        record(&app, vec![failed.clone()]).await;
        record(&app, vec![failed]).await;
        assert_eq!(lane_of(&app, endpoint).await.failures, 1, "its commit broke, and it was tried again");
    }

    async fn a_real_send_counts_for_its_lane(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        receiver.answer(vec![Answer::Status(500)]);
        let endpoint = app.register(&receiver.url("/")).await;
        app.publish(json!({})).await.expect("accepted");
        app.drain().await;
        let lane = lane_of(&app, endpoint).await;
        assert_eq!(lane.failures, 1);
        assert!((lane.failing_since - app.clock.now().0).abs() < 60_000, "{lane:?}");
    }

    async fn five_days_of_failing_disable_and_a_little_less_does_not(app: TestApp) {
        let (endpoint, claimed) = claimed(&app, 2).await;
        let now = claimed[0].claimed_at;
        let five_days = 5 * 24 * 3_600_000;
        set(&app, &format!("failures = 1, failing_since = {}", now - five_days + 60_000)).await;
        record(&app, vec![ended(&claimed[0], now, Verdict::Failed)]).await;
        assert_eq!(lane_of(&app, endpoint).await.state, "active");
        app.clock.forward(MINUTE);
        record(&app, vec![ended(&claimed[1], now + 60_000, Verdict::Failed)]).await;
        let lane = lane_of(&app, endpoint).await;
        assert_eq!((lane.state.as_str(), lane.off_reason.as_deref()), ("disabled", Some("failing")));
        assert!(lane.tell_owner && lane.off_since >= now + 60_000, "{lane:?}");
    }

    async fn a_late_410_does_not_disable_what_was_resumed_since(app: TestApp) {
        let (endpoint, claimed) = claimed(&app, 2).await;
        let start = claimed[0].claimed_at;
        set(&app, &format!("resumed_at = {}", start + 1)).await;
        record(&app, vec![ended(&claimed[0], start, Verdict::Gone)]).await;
        assert_eq!(lane_of(&app, endpoint).await.state, "active");
        record(&app, vec![ended(&claimed[1], start + 1, Verdict::Gone)]).await;
        let lane = lane_of(&app, endpoint).await;
        assert_eq!((lane.state.as_str(), lane.off_reason.as_deref(), lane.tell_owner), ("disabled", Some("gone"), true));
    }

    async fn a_paused_lane_stays_paused_whatever_its_late_sends_say(app: TestApp) {
        let (endpoint, claimed) = claimed(&app, 1).await;
        set(&app, "state = 'paused', off_since = 1").await;
        record(&app, vec![ended(&claimed[0], claimed[0].claimed_at, Verdict::Gone)]).await;
        let lane = lane_of(&app, endpoint).await;
        assert_eq!((lane.state.as_str(), lane.off_since, lane.tell_owner), ("paused", 1, false));
    }

    async fn an_endpoints_own_schedule_is_kept_to(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        receiver.answer(vec![Answer::Status(500), Answer::Status(500)]);
        app.register(&receiver.url("/")).await;
        let sql = "UPDATE endpoint SET retry_schedule = '[600]'";
        app.context.database.writer().execute_unprepared(sql).await.expect("changed");
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        app.drain().await;
        app.clock.forward(Duration::from_secs(470));
        app.drain().await;
        assert_eq!(receiver.count(), 1, "600 s, less a fifth, have not passed");
        app.clock.forward(Duration::from_secs(260));
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.reason.as_deref(), delivery.attempts), (Some("schedule_spent"), 2));
    }
}
