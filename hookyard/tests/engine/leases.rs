//! Leases: lost, late and repeated jobs and dead workers cost only time.

use std::time::Duration;

use domain::{
    delivery::DeliveryState::Succeeded,
    job::{Job, LEASE, Leased, Work},
};
use entity::{lease, upload::claim::claim_next};
use testkit::{Answer, Receiver, on_both_shapes};
use tokio_util::sync::CancellationToken;
use worker::{endpoints::EndpointCache, handover::unpack, leases::Leases, uploads::UploadProcessor};

use crate::handovers::{LEASE_ENDS, handed_over, state, work};

on_both_shapes! {
    async fn a_lost_job_is_made_good_when_its_lease_ends(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (event, _lost) = handed_over(&app).await;
        app.drain().await;
        assert_eq!(receiver.count(), 0, "the lease holds");
        app.clock.forward(LEASE_ENDS);
        app.drain().await;
        assert_eq!((state(&app, event).await, receiver.count()), (Succeeded, 1));
    }

    async fn a_late_job_is_dropped_and_its_delivery_claimed(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (event, job) = handed_over(&app).await;
        app.clock.forward(Duration::from_secs(11));
        app.context.database.observe_time(&app.clock, app.context.database.now(&app.clock).await.expect("a time"), std::time::Instant::now());
        work(&app, 8, vec![job]).await;
        assert_eq!(receiver.count(), 0, "less than a third of its lease was left");
        app.clock.forward(LEASE_ENDS);
        app.drain().await;
        assert_eq!((state(&app, event).await, receiver.count()), (Succeeded, 1));
    }

    async fn a_delivery_whose_lease_is_about_to_end_is_not_sent(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (event, job) = handed_over(&app).await;
        let now = app.context.database.now(&app.clock).await.expect("a time");
        let Work::Deliveries(handover) = job.work.clone() else { panic!("{job:?}") };
        // As if the database had taken so long to say where to send it.
        let at = tokio::time::Instant::now() - (LEASE - Duration::from_secs(2));
        let endpoints = EndpointCache::new(&app.context);
        let claimed = unpack(&app.context, &endpoints, &job, handover, (now, at)).await.expect("unpacked");
        assert_eq!(claimed.len(), 1);
        app.send_claimed(claimed).await;
        assert_eq!(receiver.count(), 0);
        app.clock.forward(LEASE_ENDS);
        app.drain().await;
        assert_eq!((state(&app, event).await, receiver.count()), (Succeeded, 1));
    }

    async fn what_a_dead_worker_had_is_sent_by_another_and_the_late_result_moves_nothing(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        receiver.answer([Answer::Status(200), Answer::Status(500)]);
        app.register(&receiver.url("/")).await;
        let (event, job) = handed_over(&app).await;
        app.clock.forward(LEASE_ENDS);
        app.drain().await;
        assert_eq!(state(&app, event).await, Succeeded);
        // The clock of this worker has not noticed: it sends once more, and fails.
        let stale = Job { lease_until: app.clock.now() + LEASE_ENDS, ..job };
        work(&app, 8, vec![stale]).await;
        let delivery = app.delivery_of(event).await;
        assert_eq!((delivery.state, delivery.claim, receiver.count()), (Succeeded, 2, 2));
        assert_eq!(app.attempts_of(delivery.id).await.len(), 2, "what was sent is on record");
    }

    async fn a_lease_is_renewed_for_as_long_as_its_send_runs_and_only_for_its_owner(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        handed_over(&app).await;
        let leases = Leases::default();
        let row = || async {
            use sea_orm::EntityTrait;
            entity::delivery::Entity::find().one(app.context.database.reader()).await.expect("a row").expect("a row")
        };
        let before = row().await;
        let kept = leases.keep((before.id, before.claim), Duration::ZERO);
        app.clock.forward(Duration::from_secs(14));
        leases.renew(&app.context).await.expect("renewed");
        let renewed = row().await;
        assert!(renewed.lease_until >= before.lease_until + 13_000, "{renewed:?}");
        drop(kept);
        app.clock.forward(LEASE_ENDS);
        app.claim_due(1).await;
        let (taken_over, stale) = (row().await, leases.keep((before.id, before.claim), Duration::ZERO));
        leases.renew(&app.context).await.expect("asked");
        assert_eq!(row().await.lease_until, taken_over.lease_until, "another claim has it");
        drop(stale);
    }

    async fn released_leases_of_another_claim_stay(app: TestApp) {
        let receiver = Receiver::start(0).await.expect("a receiver");
        app.register(&receiver.url("/")).await;
        let (_, job) = handed_over(&app).await;
        let Work::Deliveries(handover) = &job.work else { panic!("{job:?}") };
        let other = [(handover.deliveries[0].id, 2)];
        lease::release(&app.context.database, lease::Table::Deliveries, &other).await.expect("asked");
        assert_eq!(app.leased().await, 1);
    }

    async fn an_upload_that_a_stopping_worker_is_handed_is_released(app: TestApp) {
        let endpoint = app.register("http://127.0.0.1:9/").await;
        assert_eq!(app.upload(endpoint, "a.txt", "text").await, 200);
        let upload = claim_next(&app.context.database, &app.clock).await.expect("a claim").expect("an upload");
        let leased = Leased { id: upload.id().0, claim: upload.claim };
        let now = app.context.database.now(&app.clock).await.expect("a time");
        let job = Job { accepted_at: now, lease_until: now + LEASE, work: Work::Upload(leased), request_id: None };
        let halt = CancellationToken::new();
        halt.cancel();
        UploadProcessor::new(&app.context, halt).handle_job(&job, leased).await;
        let again = claim_next(&app.context.database, &app.clock).await.expect("a claim").expect("free at once");
        assert_eq!((again.id(), again.claim), (upload.id(), upload.claim + 1));
    }
}
