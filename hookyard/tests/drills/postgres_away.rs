//! Postgres is killed under load, twice, and comes back.

use std::{collections::BTreeSet, time::Duration};

use testkit::{Answer, Receiver, http::Sent, wait::until};

use crate::{
    cluster::Cluster,
    one_machine::READY_WITHIN,
    tally::{calls_by_id, files},
};

const ARRIVE_WITHIN: Duration = Duration::from_secs(50);
/// Clients that upload one file after the other.
const CLIENTS: usize = 8;
/// The pace of each client.
const BETWEEN_UPLOADS: Duration = Duration::from_millis(20);
/// What a worker could not give back while the database was away, it leaves to the end of the lease.
const UPLOAD_LEASE: Duration = Duration::from_secs(60);
/// Work that is due, or whose lease is younger than five seconds.
const NOT_LEFT: &str = "SELECT
    (SELECT count(*) FROM delivery WHERE lease_until <= now_ms() OR lease_until > now_ms() + 27000)
    + (SELECT count(*) FROM upload WHERE state = 'received'
       AND (lease_until <= now_ms() OR lease_until > now_ms() + 55000))";
/// How long it is away.
const AWAY: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn postgres_restarted_under_load_loses_nothing_that_was_accepted() {
    let mut cluster = Cluster::with_own_postgres().await;
    let receiver = Receiver::start(0).await.expect("a free port");
    receiver.answer_always(Answer::Delay(Duration::from_millis(100), 200));
    let mut api = cluster.start_api().await;
    let mut workers = [cluster.start_worker("one").await, cluster.start_worker("two").await];
    let client = cluster.client();
    let webhook = client.register(&receiver.url("/hook")).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (client, stop) = (client.clone(), stop.clone());
            tokio::spawn(async move {
                let mut sent = vec![];
                while !stop.is_cancelled() {
                    let name = format!("client-{number}-file-{}.txt", sent.len());
                    sent.push(client.upload(webhook, &name, name.as_bytes()).await);
                    tokio::time::sleep(BETWEEN_UPLOADS).await;
                }
                sent
            })
        })
        .collect();

    for round in 1..=2 {
        let enough = receiver.count() + 60;
        assert!(
            receiver.wait_for(enough, ARRIVE_WITHIN).await.len() >= enough,
            "round {round}: it did not go on"
        );
        cluster.postgres().stop_hard().await;
        tokio::time::sleep(AWAY).await;
        cluster.postgres().restart().await;
        until("the API is ready again", READY_WITHIN, async || client.is_ready().await.then_some(())).await;
    }
    stop.cancel();
    let mut sent = vec![];
    for client in clients {
        sent.extend(client.await.expect("no panic"));
    }
    let rows = cluster.rows();
    until("nothing is left but old leases", ARRIVE_WITHIN, async || {
        (rows.number(NOT_LEFT).await == 0).then_some(())
    })
    .await;
    let left = rows.counts().await;
    rows.let_time_pass(UPLOAD_LEASE).await;
    until("no work is left", ARRIVE_WITHIN, async || rows.counts().await.is_idle().then_some(())).await;

    let accepted: BTreeSet<String> =
        sent.iter().filter(|sent| sent.is_accepted()).map(|sent| sent.name.clone()).collect();
    let refused = sent.iter().filter(|sent| sent.status == Some(503)).count();
    let (arrived, after) = (files(&receiver.calls()), rows.counts().await);
    let twice = calls_by_id(&receiver.calls()).values().filter(|calls| **calls > 1).count();
    println!(
        "{} uploads: {} accepted, {refused} answered 503; {} arrived, {} of them without a 2xx, {twice} ids twice; \
         left to the end of their leases: {} uploads, {} deliveries; {after:?}",
        sent.len(),
        accepted.len(),
        arrived.len(),
        arrived.difference(&accepted).count(),
        left.uploads_open,
        left.open
    );
    let others: Vec<&Sent> =
        sent.iter().filter(|sent| !sent.is_accepted() && sent.status != Some(503)).collect();
    assert!(others.is_empty(), "neither 200 nor 503: {others:?}");
    let lost: Vec<_> = accepted.difference(&arrived).collect();
    assert!(lost.is_empty(), "accepted and lost: {lost:?}");
    assert!(refused > 0, "the restarts were not noticed");
    assert_eq!(after.dead, 0);
    assert!(
        api.ended().is_none() && workers.iter_mut().all(|worker| worker.ended().is_none()),
        "a process needed a hand"
    );
}
