//! Lost and damaged keys: the queue recovers, and the leases on the rows cover its lost jobs.

use std::slice;

use domain::job::WINDOW;
use platform::queue::{Pushed, Queue};
use redis::{AsyncCommands, aio::MultiplexedConnection};

use super::{
    eventually,
    jobs::{NAME, Taker, job, jobs, push_all},
    server::{RedisServer, namespace},
};

/// A queue whose keys a test can change.
struct Keys {
    queue: Queue,
    list: String,
    counter: String,
    connection: MultiplexedConnection,
    _server: RedisServer,
}

impl Keys {
    async fn on(server: RedisServer) -> Self {
        let namespace = namespace();
        let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
        let list = format!("{{{namespace}:deliveries}}");
        let (counter, connection) = (format!("{list}:waiting"), server.connection().await);
        Self { queue, list, counter, connection, _server: server }
    }

    async fn any() -> Self {
        Self::on(RedisServer::any().await).await
    }

    /// Replaces a key by a text.
    async fn overwrite(&mut self, key: &str, text: &str) {
        self.connection.set::<_, _, ()>(key, text).await.unwrap();
    }

    /// The queue works as if it were new.
    async fn assert_healed(&self) {
        let pushed = jobs(2, 3);
        assert_eq!(self.queue.push(NAME, &pushed).await.unwrap(), Pushed { jobs: 2, waiting: 6 });
        assert_eq!(self.queue.depth(NAME).await.unwrap(), 6);
        assert_eq!(Taker::new(&self.queue, 4).next_jobs(2).await, pushed);
    }
}

#[tokio::test]
async fn a_flushed_redis_has_a_window_that_is_empty_and_a_source_that_goes_on() {
    let mut keys = Keys::on(RedisServer::own().await).await;
    let mut taker = Taker::new(&keys.queue, 4);
    push_all(&keys.queue, &jobs(WINDOW / 32, 32)).await;
    taker.next_jobs(4).await;
    redis::cmd("FLUSHALL").exec_async(&mut keys.connection).await.unwrap();
    assert_eq!(keys.queue.depth(NAME).await.unwrap(), 0);
    let pushed = jobs(WINDOW / 32, 32);
    assert_eq!(push_all(&keys.queue, &pushed).await.waiting, WINDOW);
    assert_eq!(taker.next_jobs(pushed.len()).await, pushed);
}

#[tokio::test]
async fn a_counter_that_is_too_high_heals_when_the_list_is_empty() {
    let mut keys = Keys::any().await;
    let (counter, waiting) = (keys.counter.clone(), job(1));
    push_all(&keys.queue, slice::from_ref(&waiting)).await;
    keys.overwrite(&counter, &WINDOW.to_string()).await;
    let refused = Pushed { jobs: 0, waiting: WINDOW };
    assert_eq!(keys.queue.push(NAME, &[job(1)]).await.unwrap(), refused, "one still waits");
    assert_eq!(Taker::new(&keys.queue, 1).next().await, waiting);
    assert_eq!(keys.queue.depth(NAME).await.unwrap(), 0, "an empty list is believed");
    keys.assert_healed().await;
}

#[tokio::test]
async fn a_counter_below_zero_is_no_room() {
    let mut keys = Keys::any().await;
    let counter = keys.counter.clone();
    push_all(&keys.queue, &jobs(2, 1)).await;
    keys.overwrite(&counter, "-4000").await;
    assert_eq!(keys.queue.depth(NAME).await.unwrap(), 2);
    assert_eq!(keys.queue.push(NAME, &[job(5)]).await.unwrap(), Pushed { jobs: 1, waiting: 7 });
}

#[tokio::test]
async fn a_counter_that_is_lost_counts_every_job_that_waits_at_least_once() {
    let mut keys = Keys::any().await;
    push_all(&keys.queue, &jobs(WINDOW, 1)).await;
    keys.connection.del::<_, ()>(&keys.counter).await.unwrap();
    assert_eq!(keys.queue.depth(NAME).await.unwrap(), WINDOW);
    let refused = Pushed { jobs: 0, waiting: WINDOW };
    assert_eq!(keys.queue.push(NAME, &[job(1)]).await.unwrap(), refused);
}

#[tokio::test]
async fn a_counter_that_is_no_number_costs_no_job() {
    let mut keys = Keys::any().await;
    let (counter, mut taker) = (keys.counter.clone(), Taker::new(&keys.queue, 1));
    let pushed = jobs(3, 2);
    push_all(&keys.queue, &pushed).await;
    assert_eq!(taker.next().await, pushed[0]);
    keys.overwrite(&counter, "many").await;
    assert_eq!(keys.queue.depth(NAME).await.unwrap(), 2, "two jobs wait");
    assert!(keys.queue.is_healthy(), "that is no failure of Redis");
    assert_eq!(taker.next_jobs(2).await, pushed[1..], "although what was taken can't be counted");
    assert_eq!(taker.stop().await, []);
    keys.assert_healed().await;
}

#[tokio::test]
async fn a_list_of_a_wrong_type_heals_with_the_push_that_fails() {
    let mut keys = Keys::any().await;
    let list = keys.list.clone();
    keys.overwrite(&list, "no list").await;
    let error = keys.queue.push(NAME, &[job(1)]).await.unwrap_err();
    assert!(error.is_outcome_known(), "nothing was pushed: {error}");
    keys.assert_healed().await;
}

#[tokio::test]
async fn a_list_of_a_wrong_type_heals_with_the_count_that_fails() {
    let mut keys = Keys::any().await;
    let list = keys.list.clone();
    keys.overwrite(&list, "no list").await;
    assert!(keys.queue.depth(NAME).await.is_err());
    assert_eq!(keys.queue.depth(NAME).await.unwrap(), 0);
    keys.assert_healed().await;
}

#[tokio::test]
async fn a_list_of_a_wrong_type_heals_with_the_pop_that_fails() {
    let mut keys = Keys::any().await;
    let (list, mut taker) = (keys.list.clone(), Taker::new(&keys.queue, 4));
    keys.overwrite(&list, "no list").await;
    let waiting = tokio::spawn(async move { taker.next().await });
    let connection = keys.connection.clone();
    eventually("the key is removed", async || !connection.clone().exists::<_, bool>(&list).await.unwrap())
        .await;
    let pushed = job(2);
    push_all(&keys.queue, slice::from_ref(&pushed)).await;
    assert_eq!(waiting.await.unwrap(), pushed);
}

#[tokio::test]
async fn a_counter_of_a_wrong_type_heals() {
    let mut keys = Keys::any().await;
    keys.connection.rpush::<_, _, ()>(&keys.counter, "no number").await.unwrap();
    assert_eq!(push_all(&keys.queue, &jobs(1, 2)).await.waiting, 2, "an empty list needs no counter");

    keys.connection.del::<_, ()>(&keys.counter).await.unwrap();
    keys.connection.rpush::<_, _, ()>(&keys.counter, "no number").await.unwrap();
    let error = keys.queue.push(NAME, &[job(1)]).await.unwrap_err();
    assert!(error.is_outcome_known(), "nothing was pushed: {error}");
    keys.assert_healed().await;

    push_all(&keys.queue, &jobs(1, 2)).await;
    keys.connection.del::<_, ()>(&keys.counter).await.unwrap();
    keys.connection.rpush::<_, _, ()>(&keys.counter, "no number").await.unwrap();
    assert!(keys.queue.depth(NAME).await.is_err());
    keys.assert_healed().await;
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_dropped_and_the_next_one_is_handed_out() {
    let mut keys = Keys::any().await;
    let (before, after) = (job(1), job(2));
    push_all(&keys.queue, slice::from_ref(&before)).await;
    for damaged in [b"{broken".as_slice(), b"", b"\xff\xfe", br#"{"work":{"upload":{}}}"#, b"[]"] {
        keys.connection.rpush::<_, _, ()>(&keys.list, damaged).await.unwrap();
    }
    push_all(&keys.queue, slice::from_ref(&after)).await;
    let mut taker = Taker::new(&keys.queue, 2);
    assert_eq!(taker.next_jobs(2).await, [before, after]);
    assert_eq!(taker.stop().await, []);
    keys.assert_healed().await;
}
