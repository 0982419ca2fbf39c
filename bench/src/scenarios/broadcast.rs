//! One notification to 100,000 browsers at a fake push service: the response comes at once, then the messages are sent.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use channels::{PushTarget, VapidKeys};
use domain::notification::push_lane;
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use super::Plan;
use crate::{
    cluster::{Cluster, ClusterOptions, Shape, Store},
    load::{Connection, PostRequest},
    measure::Meter,
    receiver::Receiver,
    report::Report,
};

/// Rows of one statement.
const STEP: u64 = 5_000;
/// The answer may take so long, however many there are.
const MOST_ACCEPT_MS: f64 = 500.0;
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(super) async fn run(shape: Shape, plan: &Plan) -> Result<Report> {
    let many = if plan.full { 300_000 } else { 100_000 };
    let within = plan.seconds(240, 1_200);
    let receiver = Receiver::start().await?;
    receiver.status(201);
    let (private, public) = VapidKeys::generate();
    let settings = vec![
        ("VAPID_PRIVATE_KEY", private),
        ("VAPID_PUBLIC_KEY", public),
        ("VAPID_EMAIL", "ops@example.org".to_owned()),
    ];
    let mut cluster =
        Cluster::start(shape, &ClusterOptions { settings, ..ClusterOptions::default() }).await?;
    cluster.stop_programs().await?;
    subscribe(&cluster.store(), &receiver, many).await?;
    cluster.start_programs().await?;

    let (meter, begun) = (Meter::start(&cluster), Instant::now());
    let mut connection = Connection::open(&cluster.address()).await?;
    let request = PostRequest::json("/api/notify/web-push", &json!({"title": "t", "message": "m"}), 1);
    let (status, body) = connection.post(&request).await?;
    let accepted = begun.elapsed();
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&body));
    while receiver.count() < many {
        let arrived = receiver.count();
        ensure!(begun.elapsed() < within, "{arrived} of {many} arrived within {within:?}");
        sleep(LOOK_EVERY).await;
    }
    cluster.store().wait_until_recorded(within).await?;
    let took = begun.elapsed().as_secs_f64();

    let mut report = Report::new("broadcast", shape);
    report.costs = meter.costs(&cluster);
    let cpu: f64 = report.costs.iter().filter(|cost| cost.part != "bench").map(|cost| cost.cpu_s).sum();
    let accept_ms = accepted.as_secs_f64() * 1_000.0;
    let twice = receiver.count() - many;
    report
        .figure("subscriptions", many as f64)
        .figure("accept_ms", accept_ms)
        .figure("delivered_per_s", many as f64 / took)
        .figure("all_after_s", took)
        .figure("arrived_twice", twice as f64)
        .figure("cpu_s_per_1000", cpu * 1_000.0 / many as f64)
        .goal(format!("the answer ≤ {MOST_ACCEPT_MS} ms (is {accept_ms:.0})"), accept_ms <= MOST_ACCEPT_MS);
    Ok(report)
}

/// Rows as subscribing and a first message would leave them.
async fn subscribe(store: &Store, receiver: &Receiver, count: u64) -> Result<()> {
    let keys = testkit::push_service::PushService::browser();
    let origin = PushTarget::new(&receiver.url("/push/0"), keys.public(), keys.auth())?.origin();
    let (lane, p256dh, auth) =
        (store.uuid(push_lane(&origin).0), store.blob(keys.public()), store.blob(keys.auth()));
    store.rows.change(&format!("INSERT INTO lane (id, channel) VALUES ({lane}, 'web_push')")).await;
    for first in (0..count).step_by(STEP as usize) {
        let row = |number: u64| {
            let id = store.uuid(Uuid::from_u128(FIRST + u128::from(number)));
            let endpoint = receiver.url(&format!("/push/{number}"));
            format!("({id}, '{endpoint}', {lane}, {p256dh}, {auth}, 0, 0, 0)")
        };
        let rows: Vec<String> = (first..(first + STEP).min(count)).map(row).collect();
        let columns = "id, endpoint, lane_id, p256dh, auth, created_at, updated_at, reached_at";
        store
            .rows
            .change(&format!("INSERT INTO push_subscription ({columns}) VALUES {}", rows.join(", ")))
            .await;
    }
    store.rows.change("ANALYZE").await;
    Ok(())
}

/// Below every id that is made from now on.
const FIRST: u128 = 0x0190_0000_0000_7000_8000_0000_0000_0000;
