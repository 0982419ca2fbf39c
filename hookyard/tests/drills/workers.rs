//! Workers that die, stall, stop and share.

use std::time::Duration;

use domain::job::LEASE;
use testkit::{
    Answer, Receiver,
    process::{Running, Signal},
    wait::until,
};

use crate::{
    cluster::{Cluster, SEND_DEADLINE},
    tally::{calls_by_id, files, names, repeated},
};

const ARRIVE_WITHIN: Duration = Duration::from_secs(50);
const AT_ONCE: usize = 16;

async fn idle(cluster: &Cluster) {
    let rows = cluster.rows();
    until("no work is left", ARRIVE_WITHIN, async || rows.counts().await.is_idle().then_some(())).await;
}

/// Sends that a worker has logged.
fn sends(worker: &Running) -> usize {
    worker.lines_with("\"attempt success\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_mid_send_loses_nothing() {
    const UPLOADS: usize = 80;
    let (cluster, receiver) = (Cluster::new().await, Receiver::start(0).await.expect("a free port"));
    receiver.answer_always(Answer::Delay(Duration::from_secs(1), 200));
    let _api = cluster.start_api().await;
    let (mut doomed, survivor) =
        (cluster.start_worker("doomed").await, cluster.start_worker("survivor").await);
    let webhook = cluster.client().register(&receiver.url("/hook")).await;
    let sent = cluster.client().upload_each(webhook, names("file", UPLOADS), AT_ONCE).await;
    assert!(sent.iter().all(|sent| sent.is_accepted()), "{sent:?}");

    assert!(receiver.wait_for(UPLOADS / 4, ARRIVE_WITHIN).await.len() >= UPLOADS / 4);
    doomed.kill();
    let rows = cluster.rows();
    let at_kill = rows.counts().await;
    assert!(at_kill.open > 0, "the kill came too late to show anything");
    // The survivor finishes its claimed deliveries: rows still leased then belong to the dead worker.
    let fresh = format!(
        "SELECT count(*) FROM delivery WHERE lease_until > now_ms() + {}",
        (LEASE - SEND_DEADLINE - Duration::from_secs(1)).as_millis()
    );
    until("only old leases are left", ARRIVE_WITHIN, async || (rows.number(&fresh).await == 0).then_some(()))
        .await;
    let orphaned = rows.number("SELECT count(*) FROM delivery WHERE lease_until > now_ms()").await;
    rows.let_time_pass(Duration::from_secs(61)).await;
    idle(&cluster).await;

    let (after, calls) = (rows.counts().await, receiver.calls());
    println!(
        "at the kill: {at_kill:?}; left with the dead worker: {orphaned}; after: {after:?}; {} calls, {} ids twice; \
         sends: doomed {}, survivor {}",
        calls.len(),
        repeated(&receiver),
        sends(&doomed),
        sends(&survivor),
    );
    assert_eq!((after.succeeded, after.dead), (UPLOADS as i64, 0));
    assert_eq!(files(&calls), names("file", UPLOADS).into_iter().collect());
    assert!(repeated(&receiver) as i64 <= orphaned, "more was repeated than the dead worker had claimed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_stopped_past_its_lease_undoes_nothing_when_it_goes_on() {
    const UPLOADS: usize = 10;
    let (cluster, receiver) = (Cluster::new().await, Receiver::start(0).await.expect("a free port"));
    // The stalled worker's answers are failures, those of the other successes.
    receiver.answer((0..UPLOADS).map(|_| Answer::Delay(Duration::from_secs(1), 500)));
    let _api = cluster.start_api().await;
    let stalled = cluster.start_worker("stalled").await;
    let webhook = cluster.client().register(&receiver.url("/hook")).await;
    let sent = cluster.client().upload_each(webhook, names("file", UPLOADS), AT_ONCE).await;
    assert!(sent.iter().all(|sent| sent.is_accepted()), "{sent:?}");
    let rows = cluster.rows();
    let leased = "SELECT count(*) FROM delivery WHERE lease_until > now_ms() AND claim = 1";
    until("all are on their way", ARRIVE_WITHIN, async || {
        (receiver.count() == UPLOADS && rows.number(leased).await == UPLOADS as i64).then_some(())
    })
    .await;
    stalled.signal(Signal::SIGSTOP);
    let none_recorded = rows.counts().await;
    assert_eq!((none_recorded.attempts, none_recorded.open), (0, UPLOADS as i64), "the stop came too late");

    let other = cluster.start_worker("other").await;
    rows.let_time_pass(LEASE).await;
    idle(&cluster).await;
    let taken_over = rows.counts().await;
    assert_eq!((taken_over.succeeded, taken_over.attempts), (UPLOADS as i64, UPLOADS as i64));

    stalled.signal(Signal::SIGCONT);
    let late = 2 * UPLOADS as i64;
    until("the late attempts", ARRIVE_WITHIN, async || (rows.counts().await.attempts == late).then_some(()))
        .await;
    let after = rows.counts().await;
    let by_second_claim = "SELECT count(*) FROM finished_delivery WHERE claim = 2 AND state = 'succeeded'";
    println!(
        "taken over: {taken_over:?}; after the stalled worker went on: {after:?}, sends of the other: {}",
        sends(&other)
    );
    assert_eq!((after.succeeded, after.dead, after.open), (UPLOADS as i64, 0, 0), "a result was undone");
    assert_eq!(rows.number(by_second_claim).await, UPLOADS as i64);
    assert_eq!(receiver.count(), 2 * UPLOADS, "nothing is sent a third time");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_and_one_that_is_stopped_loses_and_repeats_nothing() {
    const UPLOADS: usize = 200;
    let (cluster, receiver) = (Cluster::new().await, Receiver::start(0).await.expect("a free port"));
    receiver.answer_always(Answer::Delay(Duration::from_millis(300), 200));
    let _api = cluster.start_api().await;
    let (mut leaving, staying) =
        (cluster.start_worker("leaving").await, cluster.start_worker("staying").await);
    let webhook = cluster.client().register(&receiver.url("/hook")).await;
    let client = cluster.client();
    let upload =
        tokio::spawn(async move { client.upload_each(webhook, names("file", UPLOADS), AT_ONCE).await });

    receiver.wait_for(UPLOADS / 4, ARRIVE_WITHIN).await;
    leaving.signal(Signal::SIGTERM);
    let status = leaving.wait_exit(Duration::from_secs(20)).await;
    let (done, rows) = (sends(&leaving), cluster.rows());
    let at_exit = rows.counts().await;
    let sent = upload.await.expect("no panic");
    assert!(sent.iter().all(|sent| sent.is_accepted()), "{sent:?}");
    until("all arrived", ARRIVE_WITHIN, async || {
        (rows.counts().await.succeeded == UPLOADS as i64).then_some(())
    })
    .await;

    let after = rows.counts().await;
    println!(
        "when the first had left: {at_exit:?}; after: {after:?}; sends: leaving {done}, staying {}; {} calls",
        sends(&staying),
        receiver.count()
    );
    assert_eq!(status.code(), Some(0), "an orderly stop");
    assert!(done > 0 && sends(&staying) > 0, "the work was not shared");
    assert_eq!(after.attempts, UPLOADS as i64);
    assert!(calls_by_id(&receiver.calls()).values().all(|calls| *calls == 1), "something was repeated");
    assert_eq!(files(&receiver.calls()), names("file", UPLOADS).into_iter().collect());
    assert_eq!(
        rows.number("SELECT count(*) FROM process").await,
        1,
        "the heartbeat of the one that left is gone"
    );
}
