//! Much is accepted while no worker runs.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use api::accept::{Accept, NewEvent};
use domain::{
    id::{EventId, UserId},
    job::{QueueName, WINDOW},
};
use platform::{
    config::{Config, Role},
    context::Context,
    queue::Queue,
    supervisor::Supervisor,
    telemetry::Telemetry,
};
use testkit::{Receiver, http::MESSAGE_RECEIVED, wait::until};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, SECRET_KEY};

const ENDPOINTS: usize = 8;
const EVENTS: usize = 2_500;
const DELIVERIES: usize = EVENTS * ENDPOINTS;
const ARRIVE_WITHIN: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_deliveries_accepted_while_no_worker_runs_all_arrive_through_the_window() {
    let (cluster, receiver) = (Cluster::new().await, Receiver::start(0).await.expect("a free port"));
    let _api = cluster.start_api().await;
    for number in 0..ENDPOINTS {
        cluster.client().register_for(MESSAGE_RECEIVED, &receiver.url(&format!("/hook/{number}"))).await;
    }
    let start = Instant::now();
    accept_events(&cluster).await;
    let queue = Queue::redis(&cluster.redis.url()).await.expect("an address");
    let (before, held, accepted_in) = (cluster.rows().counts().await, depth(&queue).await, start.elapsed());
    assert_eq!(before.open, DELIVERIES as i64);

    let start = Instant::now();
    // The receiver shares the machine with all of this: a slow answer is no failure here.
    let patient = |name| cluster.launch("hookyard-worker", name).set("DELIVERY_TIMEOUT", "60s");
    let _one = cluster.start_worker_as(&patient("one")).await;
    let _two = cluster.start_worker_as(&patient("two")).await;
    let mut deepest = held;
    until("all arrived", ARRIVE_WITHIN, async || {
        deepest = deepest.max(depth(&queue).await);
        (receiver.count() >= DELIVERIES).then_some(())
    })
    .await;
    let took = start.elapsed();
    let rows = cluster.rows();
    until("all is recorded", ARRIVE_WITHIN, async || rows.counts().await.is_idle().then_some(())).await;
    println!(
        "{DELIVERIES} accepted in {accepted_in:?} ({held} handed over), delivered in {took:?}; the queue held {deepest} at most; {:?}",
        rows.counts().await
    );
    let mut calls = BTreeMap::new();
    for call in receiver.calls() {
        let id = call.webhook_id().expect("an id").to_owned();
        *calls.entry((call.path, id)).or_insert(0) += 1;
    }
    let failures = "SELECT count(*) FROM attempt WHERE error_class IS NOT NULL";
    assert_eq!(rows.number(failures).await, 0, "{}", rows.text("SELECT min(error) FROM attempt").await);
    assert_eq!(calls.len(), DELIVERIES, "every endpoint gets every event");
    assert!(calls.values().all(|count| *count == 1), "something was repeated");
    assert!(deepest <= WINDOW, "the queue held {deepest} deliveries");
}

async fn depth(queue: &Queue) -> usize {
    queue.depth(QueueName::Deliveries).await.expect("Redis answers")
}

/// The accept of an API, in this process: events with a delivery for each endpoint.
async fn accept_events(cluster: &Cluster) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = BTreeMap::from([
        ("DATA_DIR", folder.path().display().to_string()),
        ("DATABASE_URL", cluster.database_url()),
        ("REDIS_URL", cluster.redis.url()),
        ("SECRET_KEY", SECRET_KEY.to_owned()),
        ("WEBHOOK_SECRET", "a secret of the drills, long enough".to_owned()),
    ]);
    let config = Config::load(Role::Api, |name| settings.get(name).cloned()).expect("valid settings");
    let context = Context::connect(config, Telemetry::for_tests()).await.expect("a database");
    let (accept, services) = Accept::new(&context);
    let stop = CancellationToken::new();
    let running = tokio::spawn(Supervisor::run(services, stop.clone(), Duration::from_secs(10)));
    let accepts = (0..EVENTS).map(|number| {
        let accept = accept.clone();
        let data = serde_json::value::to_raw_value(&serde_json::json!({"number": number})).expect("JSON");
        tokio::spawn(async move {
            let event = NewEvent {
                id: EventId::new(),
                user_id: Some(UserId(1)),
                event_type: "message.received".to_owned(),
                data,
                request_id: None,
            };
            accept.event(event).await
        })
    });
    for accepted in accepts.collect::<Vec<_>>() {
        let accepted = accepted.await.expect("no panic").expect("accepted");
        assert_eq!(accepted.deliveries, ENDPOINTS);
    }
    stop.cancel();
    running.await.expect("no panic").expect("an orderly end");
}
