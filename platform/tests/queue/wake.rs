//! Signals within a process and between processes.

use futures_util::{FutureExt, StreamExt};
use platform::queue::{Queue, Signal};
use tokio::{sync::watch, time::timeout};

use super::{
    PATIENCE, eventually,
    server::{RedisServer, namespace},
};

async fn rings(watcher: &mut watch::Receiver<u64>) {
    timeout(PATIENCE, watcher.changed()).await.expect("a signal came").unwrap();
}

/// A watcher with an established subscription, which triggers the first signal.
async fn watcher(queue: &Queue, signal: Signal) -> watch::Receiver<u64> {
    let mut watcher = queue.watch(signal);
    rings(&mut watcher).await;
    watcher
}

#[tokio::test]
async fn a_wake_reaches_this_process_and_the_others() {
    let (server, namespace) = (RedisServer::any().await, namespace());
    let here = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let there = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let (mut woken_here, mut woken_there) =
        (watcher(&here, Signal::Due).await, watcher(&there, Signal::Due).await);
    here.wake();
    assert!(woken_here.changed().now_or_never().is_some(), "at once");
    rings(&mut woken_there).await;
    there.wake();
    rings(&mut woken_here).await;
    assert!(woken_there.changed().now_or_never().is_some(), "at once");
}

#[tokio::test]
async fn a_signal_reaches_only_the_watchers_of_its_kind() {
    let (server, namespace) = (RedisServer::any().await, namespace());
    let here = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let there = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let mut changed = watcher(&there, Signal::EndpointChanged).await;
    let mut due = there.woken();
    here.signal(Signal::EndpointChanged);
    rings(&mut changed).await;
    assert!(!due.has_changed().unwrap());
    here.wake();
    rings(&mut due).await;
    assert!(!changed.has_changed().unwrap());
}

#[tokio::test]
async fn many_wakes_are_few_messages() {
    let (server, namespace) = (RedisServer::any().await, namespace());
    let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let mut messages = redis::Client::open(server.url()).unwrap().get_async_pubsub().await.unwrap();
    messages.subscribe(format!("{namespace}:due")).await.unwrap();
    for _ in 0..1_000 {
        queue.wake();
        tokio::task::yield_now().await;
    }
    let mut messages = messages.into_on_message();
    timeout(PATIENCE, messages.next()).await.expect("the first goes out at once").unwrap();
    let heard_while_waking = std::iter::from_fn(|| messages.next().now_or_never()).count();
    assert!(heard_while_waking <= 4, "{heard_while_waking} more messages for 1,000 wakes");
}

#[tokio::test]
async fn a_lost_subscription_comes_back_and_rings_for_what_was_missed() {
    let (mut server, namespace) = (RedisServer::own().await, namespace());
    let here = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let there = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let mut changed = watcher(&there, Signal::EndpointChanged).await;
    let mut woken = there.woken();
    server.kill();
    server.start().await;
    rings(&mut woken).await;
    rings(&mut changed).await;
    eventually("a message comes through again", async || {
        here.wake();
        timeout(std::time::Duration::from_millis(200), woken.changed()).await.is_ok()
    })
    .await;
}
