//! Redis is wiped, killed and paused. Jobs are lost, work is not; accepts do not notice.

use std::{
    ops::AsyncFnOnce,
    time::{Duration, Instant},
};

use testkit::{Answer, Receiver, http::Sent, wait::until};

use crate::{
    cluster::Cluster,
    load::Load,
    tally::{calls_by_id, files, names},
};

const ARRIVE_WITHIN: Duration = Duration::from_secs(50);
/// How long Redis is gone.
const STOPPED: Duration = Duration::from_secs(30);
/// How long Redis does not answer.
const PAUSED: Duration = Duration::from_secs(10);
/// An accept never takes longer, whatever Redis does.
const ACCEPT_WITHIN: Duration = Duration::from_secs(1);
/// Clients that upload one file after the other.
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_survives_flushall() {
    const UPLOADS: usize = 400;
    let (cluster, receiver) = (Cluster::new().await, Receiver::start(0).await.expect("a free port"));
    receiver.answer_always(Answer::Delay(Duration::from_millis(100), 200));
    let _api = cluster.start_api().await;
    let webhook = cluster.client().register(&receiver.url("/hook")).await;
    let sent = cluster.client().upload_each(webhook, names("file", UPLOADS), 16).await;
    assert!(sent.iter().all(Sent::is_accepted), "{sent:?}");
    let keys: usize = cluster.redis.ask(&["DBSIZE"]).await;
    cluster.redis.flush().await;

    let start = Instant::now();
    let few_slots = |name| cluster.launch("hookyard-worker", name).set("SEND_SLOTS", 8);
    let _one = cluster.start_worker_as(&few_slots("one")).await;
    let _two = cluster.start_worker_as(&few_slots("two")).await;
    receiver.wait_for(UPLOADS / 4, ARRIVE_WITHIN).await;
    let (in_the_middle, left) = (receiver.count(), cluster.rows().counts().await);
    cluster.redis.flush().await;

    let rows = cluster.rows();
    until("all arrived", ARRIVE_WITHIN, async || {
        (rows.counts().await.succeeded == UPLOADS as i64).then_some(())
    })
    .await;
    println!(
        "wiped {keys} keys before the workers came, and again after {in_the_middle} calls with {left:?}; \
         all {} arrived {:?} after the start",
        receiver.count(),
        start.elapsed()
    );
    assert_eq!(files(&receiver.calls()), names("file", UPLOADS).into_iter().collect());
    assert!(calls_by_id(&receiver.calls()).values().all(|calls| *calls == 1), "something was repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_stopped_for_30_s_under_load_costs_a_pause_at_most() {
    outage(async |cluster| {
        cluster.redis.kill();
        tokio::time::sleep(STOPPED).await;
        cluster.redis.restart().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_paused_for_10_s_under_load_costs_a_pause_at_most() {
    outage(async |cluster| {
        cluster.redis.pause();
        tokio::time::sleep(PAUSED).await;
        cluster.redis.resume();
    })
    .await;
}

/// Uploads go on before, during and after `breakage`: each is accepted at once and arrives exactly once.
async fn outage(breakage: impl AsyncFnOnce(&mut Cluster)) {
    let (mut cluster, receiver) = (Cluster::new().await, Receiver::start(0).await.expect("a free port"));
    receiver.answer_always(Answer::Delay(Duration::from_millis(500), 200));
    let _api = cluster.start_api().await;
    let _workers = [cluster.start_worker("one").await, cluster.start_worker("two").await];
    let webhook = cluster.client().register(&receiver.url("/hook")).await;
    let load = Load::start(&cluster.client(), webhook, CLIENTS);

    receiver.wait_for(40, ARRIVE_WITHIN).await;
    let (before, start) = (receiver.count(), Instant::now());
    breakage(&mut cluster).await;
    let (during, took) = (receiver.count() - before, start.elapsed());
    receiver.wait_for(before + during + 40, ARRIVE_WITHIN).await;
    let sent = load.stop().await;

    let rows = cluster.rows();
    until("all arrived", ARRIVE_WITHIN, async || {
        (rows.counts().await.succeeded >= sent.len() as i64).then_some(())
    })
    .await;
    let slowest = sent.iter().map(|sent| sent.took).max().expect("uploads");
    println!(
        "{} uploads, slowest accept {slowest:?}; calls: {before} before, {during} in {took:?} without Redis, {} in all; {:?}",
        sent.len(),
        receiver.count(),
        rows.counts().await
    );
    assert!(sent.iter().all(Sent::is_accepted), "{sent:?}");
    assert!(slowest < ACCEPT_WITHIN, "an accept noticed that Redis was away");
    assert_eq!(files(&receiver.calls()), sent.into_iter().map(|sent| sent.name).collect());
    assert!(calls_by_id(&receiver.calls()).values().all(|calls| *calls == 1), "something was repeated");
    assert!(during > 0, "nothing was delivered while Redis was away");
}
