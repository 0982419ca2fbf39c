//! Postgres breaks off under load, twice, then stalls, and comes back.

use std::{collections::BTreeSet, time::Duration};

use testkit::{Answer, Receiver, http::Sent, servers::OwnPostgres, wait::until};

use crate::{
    cluster::Cluster,
    load::Load,
    one_machine::READY_WITHIN,
    tally::{calls_by_id, files},
};

const ARRIVE_WITHIN: Duration = Duration::from_secs(50);
/// Clients that upload one file after the other.
const CLIENTS: usize = 8;
/// What a worker could not give back while the database was away, it leaves to the end of the lease.
const UPLOAD_LEASE: Duration = Duration::from_secs(60);
/// Work that is due, or whose lease is younger than five seconds.
const NOT_LEFT: &str = "SELECT
    (SELECT count(*) FROM delivery WHERE lease_until <= now_ms() OR lease_until > now_ms() + 27000)
    + (SELECT count(*) FROM upload WHERE state = 'received'
       AND (lease_until <= now_ms() OR lease_until > now_ms() + 55000))";
/// How long it is away.
const AWAY: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
enum Breakage {
    Restart,
    Pause,
}

impl Breakage {
    async fn happen(self, postgres: &mut OwnPostgres) {
        match self {
            Self::Restart => {
                postgres.stop_hard().await;
                tokio::time::sleep(AWAY).await;
                postgres.restart().await;
            }
            Self::Pause => {
                postgres.pause();
                tokio::time::sleep(AWAY).await;
                postgres.resume();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_restarted_and_paused_under_load_loses_nothing_that_was_accepted() {
    let mut cluster = Cluster::with_own_postgres().await;
    let receiver = Receiver::start(0).await.expect("a free port");
    receiver.answer_always(Answer::Delay(Duration::from_millis(100), 200));
    let mut api = cluster.start_api().await;
    let mut workers = [cluster.start_worker("one").await, cluster.start_worker("two").await];
    let client = cluster.client();
    let webhook = client.register(&receiver.url("/hook")).await;
    let load = Load::start(&client, webhook, CLIENTS);

    for breakage in [Breakage::Restart, Breakage::Restart, Breakage::Pause] {
        let enough = receiver.count() + 60;
        let calls = receiver.wait_for(enough, ARRIVE_WITHIN).await.len();
        assert!(calls >= enough, "it did not go on before {breakage:?}");
        breakage.happen(cluster.postgres()).await;
        until("the API is ready again", READY_WITHIN, async || client.is_ready().await.then_some(())).await;
    }
    let sent = load.stop().await;
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
        "a process needed manual action"
    );
}
