//! Memory holds whatever the size of an upload.

use std::time::Duration;

use testkit::{Receiver, http::Client, process::Running};
use uuid::Uuid;

use crate::{cluster::Cluster, one_machine::OneMachine};

const CHUNK: &[u8] = &[b'x'; 64 * 1_024];
/// 128 MiB.
const CHUNKS: usize = 2_048;
const MOST_GROWTH_KIB: u64 = 32 * 1_024;
const ARRIVE_WITHIN: Duration = Duration::from_secs(50);

/// The receiver's calls when the large file has arrived, and the growth of each process's peak on the way.
async fn growth(client: &Client, receiver: &Receiver, webhook: Uuid, processes: &[&Running]) -> Vec<u64> {
    // What is there once and for all is there after a first file.
    assert!(client.upload(webhook, "small.txt", b"small").await.is_accepted());
    assert_eq!(receiver.wait_for(1, ARRIVE_WITHIN).await.len(), 1);
    let peaks = || processes.iter().map(|process| process.peak_memory_kib());
    let before: Vec<u64> = peaks().collect();
    let sent = client.upload_large(webhook, "large.bin", CHUNK, CHUNKS).await;
    assert!(sent.is_accepted(), "{sent:?}");
    let calls = receiver.wait_for(2, ARRIVE_WITHIN).await;
    let event = calls.get(1).and_then(|call| call.json()).expect("the large file arrived");
    assert_eq!(event["data"]["size_bytes"], CHUNK.len() * CHUNKS, "{event}");
    println!("128 MiB accepted in {:?}; peaks before, in KiB: {before:?}", sent.took);
    // The kernel counts pages by thread and adds them up later: a peak may be read lower than before by a few of them.
    peaks().zip(before).map(|(after, before)| after.saturating_sub(before)).collect()
}

fn assert_held(growth: &[u64]) {
    println!("peaks grew by {growth:?} KiB");
    assert!(growth.iter().all(|growth| *growth < MOST_GROWTH_KIB), "memory grew by {growth:?} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_128_mib_holds_the_memory_bound_on_one_machine() {
    let (machine, receiver) = (OneMachine::new(), Receiver::start(0).await.expect("a free port"));
    let process = machine.start().await;
    let client = machine.client();
    let webhook = client.register(&receiver.url("/hook")).await;
    assert_held(&growth(&client, &receiver, webhook, &[&process]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_128_mib_holds_the_memory_bound_of_api_and_worker() {
    let (cluster, receiver) = (Cluster::new().await, Receiver::start(0).await.expect("a free port"));
    let (api, worker) = (cluster.start_api().await, cluster.start_worker("worker").await);
    let client = cluster.client();
    let webhook = client.register(&receiver.url("/hook")).await;
    assert_held(&growth(&client, &receiver, webhook, &[&api, &worker]).await);
}
