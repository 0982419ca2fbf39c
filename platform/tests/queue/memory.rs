//! Tests of the in-memory queue alone.

use futures_util::FutureExt;
use platform::queue::{Queue, Signal};

use super::jobs::{NAME, Taker, jobs, push_all};

#[tokio::test]
async fn a_stop_hands_out_all_that_waits() {
    let (queue, pushed) = (Queue::memory(), jobs(40, 2));
    push_all(&queue, &pushed).await;
    let mut taker = Taker::new(&queue, 1);
    assert_eq!(taker.next().await, pushed[0]);
    assert_eq!(taker.stop().await, pushed[1..]);
    assert_eq!(queue.depth(NAME).await.unwrap(), 0);
}

#[tokio::test]
async fn a_source_that_is_busy_with_its_job_holds_up_no_other() {
    let (queue, pushed) = (Queue::memory(), jobs(2, 1));
    let (mut busy, mut free) = (Taker::new(&queue, 1), Taker::new(&queue, 1));
    let waiting = tokio::spawn(async move { free.next().await });
    tokio::task::yield_now().await;
    assert!(busy.next().now_or_never().is_none(), "both wait");
    push_all(&queue, &pushed).await;
    let both = [busy.next().await, waiting.await.unwrap()];
    assert!(pushed.iter().all(|job| both.contains(job)), "each has one, and asks for no other");
}

#[tokio::test]
async fn a_signal_reaches_the_watchers_of_its_kind_at_once() {
    let queue = Queue::memory();
    let (mut due, mut changed) = (queue.woken(), queue.watch(Signal::EndpointChanged));
    queue.clone().wake();
    assert!(due.changed().now_or_never().is_some());
    assert!(!changed.has_changed().unwrap());
    queue.signal(Signal::EndpointChanged);
    assert!(changed.changed().now_or_never().is_some());
    assert!(!due.has_changed().unwrap());
}
