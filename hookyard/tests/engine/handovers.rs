//! Handover: what is accepted for a healthy lane is leased, travels in a job, and is sent without a claim.

use std::time::Duration;

use domain::{
    delivery::DeliveryState::{self, Pending, Succeeded},
    id::EventId,
    job::{Job, MAX_BODY_IN_JOB, QueueName, Work},
};
use futures_util::StreamExt;
use serde_json::json;
use testkit::{Answer, Receiver, TestApp, on_both_shapes, wait};
use tokio_util::sync::CancellationToken;
use worker::{
    broadcasts::Broadcaster, endpoints::EndpointCache, handover::Intake, jobs::Jobs, lanes::SendSlots,
    record::Recorder, send::Sender, uploads::UploadProcessor,
};

use crate::lanes::{number, run, set_lane};

/// Far more than any of this takes; what comes later is a failure.
const SOON: Duration = Duration::from_secs(30);
/// Longer than a lease.
pub(crate) const LEASE_ENDS: Duration = Duration::from_secs(16);

/// Publishes with a queue that takes jobs, and returns the job.
pub(crate) async fn handed_over(app: &TestApp) -> (EventId, Job) {
    app.context.queue.resume();
    let (event, _) = app.publish(json!({"n": 1})).await.expect("accepted");
    let job = next_job(app, QueueName::Deliveries).await;
    app.context.queue.pause();
    (event, job)
}

pub(crate) async fn next_job(app: &TestApp, queue: QueueName) -> Job {
    let mut jobs = app.context.queue.jobs(queue, 1, CancellationToken::new());
    tokio::time::timeout(SOON, jobs.next()).await.expect("a job in time").expect("a job")
}

/// Works these jobs with so many slots, and waits until all is sent and recorded.
pub(crate) async fn work(app: &TestApp, slots: usize, jobs: Vec<Job>) {
    let (recorder, records) = Recorder::new(&app.context);
    let sender = Sender::new(&app.context, recorder).expect("a sender");
    let (stop, recorded) = (CancellationToken::new(), CancellationToken::new());
    let records = tokio::spawn(records.run(recorded.clone()));
    let (slots, endpoints) = (SendSlots::new(slots), EndpointCache::new(&app.context));
    let (intake, intake_loop) =
        Intake::new(&app.context, endpoints, slots, sender.clone(), CancellationToken::new());
    let looping = tokio::spawn(intake_loop.run(stop.clone()));
    let registry = Jobs {
        intake,
        uploads: UploadProcessor::new(&app.context, CancellationToken::new()),
        broadcaster: Broadcaster::new(&app.context, CancellationToken::new()),
    };
    for job in jobs {
        registry.handle(job).await;
    }
    stop.cancel();
    looping.await.expect("the intake ends");
    sender.drain(SOON).await;
    recorded.cancel();
    records.await.expect("the recorder ends");
}

pub(crate) async fn state(app: &TestApp, event: EventId) -> DeliveryState {
    app.delivery_of(event).await.state
}

on_both_shapes! {
    async fn a_delivery_is_inserted_leased_and_sent_without_a_claim(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (event, job) = handed_over(&app).await;
        let leased = "SELECT count(*) FROM delivery WHERE claim = 1 AND lease_until BETWEEN {now} + 5000 AND {now} + 15000";
        assert_eq!(number(&app, leased).await, 1);
        assert!(app.claim_due(9).await.is_empty(), "its lease is this job's");
        work(&app, 8, vec![job]).await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.claim, delivery.attempts), (Succeeded, 1, 1));
        assert_eq!(receiver.count(), 1);
        let attempts = app.attempts_of(delivery.id).await;
        assert_eq!((attempts.len(), attempts[0].number, attempts[0].status_code), (1, 1, Some(200)));
        assert_eq!(number(&app, "SELECT count(*) FROM attempt").await, 0, "it is kept with the finished delivery");
    }

    async fn a_first_attempt_that_fails_is_retried_by_a_claim(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        receiver.answer([Answer::Status(500)]);
        app.register(&receiver.url("/")).await;
        let (event, job) = handed_over(&app).await;
        work(&app, 8, vec![job]).await;
        assert_eq!(state(&app, event).await, Pending);
        app.clock.forward(Duration::from_secs(10));
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.attempts, receiver.count()), (Succeeded, 2, 2));
        assert_eq!(app.attempts_of(delivery.id).await.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2]);
    }

    async fn a_job_that_comes_twice_is_recorded_once(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (event, job) = handed_over(&app).await;
        work(&app, 8, vec![job.clone(), job.clone()]).await;
        work(&app, 8, vec![job]).await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.claim, app.counts().await), (Succeeded, 1, (0, 1)));
    }

    async fn an_endpoint_that_was_paused_after_the_accept_gets_nothing_and_its_delivery_is_held(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        let (event, job) = handed_over(&app).await;
        set_lane(&app, endpoint, "state = 'paused'").await;
        work(&app, 8, vec![job]).await;
        assert_eq!((state(&app, event).await, receiver.count(), app.leased().await), (Pending, 0, 0));
        set_lane(&app, endpoint, "state = 'active'").await;
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.claim), (Succeeded, 2));
    }

    async fn only_what_is_due_in_a_healthy_lane_without_a_backlog_is_handed_over(app: TestApp) {
        app.context.queue.resume();
        let endpoint = app.register("http://127.0.0.1:9/").await;
        for (change, undo) in [
            ("backlog_until = {now} + 60000", "backlog_until = 0"),
            ("rate_limit = 1", "rate_limit = NULL"),
            ("max_in_flight = 1", "max_in_flight = NULL"),
            ("blocked_until = {now} + 60000", "blocked_until = 0"),
            ("breaker_until = 1", "breaker_until = 0"),
            ("state = 'paused'", "state = 'active'"),
        ] {
            run(&app, &format!("UPDATE lane SET {change}")).await;
            app.publish(json!({})).await.expect("accepted");
            assert_eq!(app.leased().await, 0, "{change}");
            run(&app, &format!("UPDATE lane SET {undo}")).await;
        }
        app.publish(json!({})).await.expect("accepted");
        assert_eq!(app.leased().await, 1, "{endpoint} is healthy");
    }

    async fn a_body_that_is_too_long_for_its_job_is_loaded(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        app.context.queue.resume();
        let mut lengths = vec![];
        for length in [MAX_BODY_IN_JOB / 2, MAX_BODY_IN_JOB * 2] {
            app.publish(json!({"text": "x".repeat(length)})).await.expect("accepted");
            let job = next_job(&app, QueueName::Deliveries).await;
            let Work::Deliveries(handover) = &job.work else { panic!("{job:?}") };
            lengths.push(handover.events[0].body.as_ref().map(|body| body.len() > length));
            work(&app, 8, vec![job]).await;
        }
        assert_eq!(lengths, [Some(true), None]);
        let bodies: Vec<usize> = receiver.calls().iter().map(|call| call.body.len()).collect();
        assert!(bodies[0] > MAX_BODY_IN_JOB / 2 && bodies[1] > MAX_BODY_IN_JOB * 2, "{bodies:?}");
    }

    async fn what_is_over_its_lanes_share_waits_a_moment_and_is_released(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        receiver.answer_always(Answer::Hang);
        app.register(&receiver.url("/")).await;
        let worker = app.work();
        app.publish(json!({})).await.expect("accepted");
        receiver.wait_for(1, SOON).await;
        run(&app, "UPDATE lane SET backlog_until = 0").await;
        let accepts = (0..600).map(|n| app.publish(json!({"n": n})));
        for accepted in futures_util::future::join_all(accepts).await {
            accepted.expect("accepted");
        }
        wait::until("a quarter of the slots is used", SOON, async || (receiver.count() >= 256).then_some(())).await;
        wait::until("the rest is released", SOON, async || (app.leased().await == 256).then_some(())).await;
        assert_eq!(number(&app, "SELECT count(*) FROM lane WHERE backlog_until > {now}").await, 1);
        drop(worker);
    }

    async fn an_upload_is_handed_over_and_made_good_when_its_job_is_lost(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        let endpoint = app.register(&receiver.url("/")).await;
        app.context.queue.resume();
        assert_eq!(app.upload(endpoint, "a.txt", "one").await, 200);
        let job = next_job(&app, QueueName::Uploads).await;
        app.drain().await;
        assert_eq!(receiver.count(), 0, "the lease holds");
        work(&app, 8, vec![job]).await;
        app.drain().await;
        assert_eq!(receiver.count(), 1);
        assert_eq!(app.upload(endpoint, "b.txt", "two").await, 200);
        let _lost = next_job(&app, QueueName::Uploads).await;
        app.clock.forward(LEASE_ENDS);
        app.drain().await;
        assert_eq!(receiver.count(), 2);
        assert_eq!(number(&app, "SELECT count(*) FROM upload WHERE claim = 1").await, 1);
    }

    async fn what_a_full_queue_does_not_take_is_released_and_claimed(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        app.context.queue.resume();
        fill(&app).await;
        let (event, _) = app.publish(json!({})).await.expect("accepted");
        wait::until("it is released", SOON, async || (app.leased().await == 0).then_some(())).await;
        app.drain().await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.claim), (Succeeded, 2));
    }
}

/// A job that carries one delivery, which is in no table.
fn filler() -> Job {
    use domain::job::{HandedDelivery, Handover};
    let mut handover = Handover::default();
    let id = uuid::Uuid::now_v7();
    let delivery = HandedDelivery {
        id,
        event: 0,
        user_id: None,
        endpoint_id: id,
        claim: 1,
        has_own_body: false,
        body: None,
    };
    handover.push(id, None, delivery);
    Job {
        accepted_at: domain::clock::Millis(0),
        lease_until: domain::clock::Millis(0),
        work: Work::Deliveries(handover),
        request_id: None,
    }
}

/// Fills the queue of deliveries up to its window.
async fn fill(app: &TestApp) {
    let jobs: Vec<Job> = (0..1_024).map(|_| filler()).collect();
    while app.context.queue.push(QueueName::Deliveries, &jobs).await.expect("pushed").jobs > 0 {}
}
