//! Keys of the queue that others damage or delete.

use std::time::{Duration, Instant};

use testkit::{Receiver, http::Sent, process::Running, wait::until};

use crate::{
    cluster::Cluster,
    tally::{calls_by_id, files, names},
};

const ARRIVE_WITHIN: Duration = Duration::from_secs(55);
/// Files that follow each damage.
const UPLOADS: usize = 30;
/// How soon a file arrives when all is well.
const PROMPT: Duration = Duration::from_secs(5);
/// The lists of jobs that a file passes through.
const LISTS: [&str; 2] = ["{hookyard:uploads}", "{hookyard:deliveries}"];
/// Makes a counter a list, in one step: workers count in it all the time.
const REPLACE: &str = "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'no number')";
/// Jobs that cannot be read.
const UNREADABLE: [&str; 4] = ["{broken", "", "[]", r#"{"work":{"upload":{}}}"#];

#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_deleted_keys_of_the_queue_cost_a_pause_at_most() {
    let (cluster, receiver) = (Cluster::new().await, Receiver::start(0).await.expect("a free port"));
    let programs =
        [cluster.start_api().await, cluster.start_worker("one").await, cluster.start_worker("two").await];
    let webhook = cluster.client().register(&receiver.url("/hook")).await;
    let mut expected = vec![];
    for damage in ["list", "counter", "jobs", "flush"] {
        do_damage(&cluster, damage).await;
        let start = Instant::now();
        let sent = cluster.client().upload_each(webhook, names(damage, UPLOADS), 8).await;
        assert!(sent.iter().all(Sent::is_accepted), "{damage}: {sent:?}");
        expected.extend(names(damage, UPLOADS));
        let rows = cluster.rows();
        until("all arrived", ARRIVE_WITHIN, async || {
            (rows.counts().await.succeeded == expected.len() as i64).then_some(())
        })
        .await;
        println!("{damage}: {UPLOADS} files arrived {:?} after the damage", start.elapsed());
        until("the lists are healed", ARRIVE_WITHIN, async || are_healed(&cluster).await.then_some(())).await;
    }
    println!(
        "healed keys: {}, dropped jobs: {}",
        lines_with(&programs, "has a wrong type"),
        lines_with(&programs, "dropped an unreadable job")
    );
    assert!(lines_with(&programs, "has a wrong type") >= LISTS.len(), "the lists were never put to the test");
    assert_eq!(lines_with(&programs, "dropped an unreadable job"), LISTS.len() * UNREADABLE.len());
    assert_eq!(files(&receiver.calls()), expected.iter().cloned().collect());
    assert!(calls_by_id(&receiver.calls()).values().all(|calls| *calls == 1), "something was repeated");

    let start = Instant::now();
    cluster.client().upload(webhook, "afterwards.txt", b"well again").await;
    let calls = receiver.wait_for(expected.len() + 1, PROMPT).await.len();
    assert_eq!(calls, expected.len() + 1, "the queue has not recovered");
    println!("a file that came afterwards took {:?}", start.elapsed());
}

async fn do_damage(cluster: &Cluster, damage: &str) {
    for list in LISTS {
        let counter = format!("{list}:waiting");
        match damage {
            "list" => cluster.redis.ask::<()>(&["SET", list, "no list"]).await,
            "counter" => cluster.redis.ask::<()>(&["EVAL", REPLACE, "1", &counter]).await,
            "jobs" => cluster.redis.ask::<()>(&[&["RPUSH", list], &UNREADABLE[..]].concat()).await,
            _ => cluster.redis.flush().await,
        }
    }
}

/// Whether no list has a wrong type: a pop that waits notices it a second later, when no push was faster.
async fn are_healed(cluster: &Cluster) -> bool {
    for list in LISTS {
        if cluster.redis.ask::<String>(&["TYPE", list]).await == "string" {
            return false;
        }
    }
    true
}

fn lines_with(programs: &[Running], text: &str) -> usize {
    programs.iter().map(|program| program.lines_with(text)).sum()
}
