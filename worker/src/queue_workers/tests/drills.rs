//! Redis breaks in every way it can; work goes on, and no handler is dropped.

use std::sync::Arc;

use ::redis::{AsyncCommands, aio::MultiplexedConnection};
use platform::queue::redis::RedisQueue;
use tokio::sync::Semaphore;

use super::{
    server::{RedisServer, namespace},
    *,
};

async fn stage() -> (RedisServer, Queue) {
    let server = RedisServer::own().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.expect("a queue");
    (server, queue)
}

fn redis_of(queue: &Queue) -> &RedisQueue {
    match queue.backend() {
        Backend::Redis(redis) => redis,
        Backend::Memory(_) => panic!("a queue in Redis"),
    }
}

/// A worker whose handlers begin, wait for the gate, and end.
struct Held {
    crew: Crew,
    gate: Arc<Semaphore>,
    begun: mpsc::UnboundedReceiver<Hint>,
    ended: mpsc::UnboundedReceiver<Hint>,
}

fn held(queue: &Queue) -> Held {
    let gate = Arc::new(Semaphore::new(0));
    let ((begin, begun), (end, ended)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let crew = Crew::start(queue, 8, {
        let gate = Arc::clone(&gate);
        move |hint: Hint| {
            let (gate, begin, end) = (Arc::clone(&gate), begin.clone(), end.clone());
            async move {
                begin.send(hint.clone())?;
                gate.acquire().await?.forget();
                Ok(end.send(hint)?)
            }
        }
    });
    Held { crew, gate, begun, ended }
}

async fn push(queue: &Queue, count: usize) -> Vec<Uuid> {
    let ids = ids(count);
    eventually(
        "a push goes through",
        async || matches!(queue.push(NAME, &Hint::of(&ids)).await, Ok(taken) if taken == count),
    )
    .await;
    ids
}

/// A handler that began before the drill ends after it, and a hint pushed after it is handled.
async fn survives(queue: &Queue, drill: impl AsyncFnOnce(&Crew)) {
    let mut held = held(queue);
    let before = push(queue, 1).await;
    assert_eq!(next(&mut held.begun).await.ids, before);
    drill(&held.crew).await;
    held.gate.add_permits(1_000);
    assert_eq!(next(&mut held.ended).await.ids, before, "the handler was not dropped");
    let after = push(queue, 1).await;
    while next(&mut held.ended).await.ids != after {}
    held.crew.end().await;
}

async fn restarted(crew: &Crew) {
    crew.until("another worker runs", |(state, restarts)| *restarts > 0 && *state == WorkerState::Running)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_and_restarted_redis_costs_only_a_pause() {
    let (mut server, queue) = stage().await;
    survives(&queue, async |crew| {
        server.kill();
        crew.until("the worker notices", |(_, restarts)| *restarts > 0).await;
        server.start().await;
        restarted(crew).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_paused_for_two_seconds_costs_only_a_pause() {
    let (server, queue) = stage().await;
    survives(&queue, async |crew| {
        server.pause();
        crew.until("the worker notices", |(_, restarts)| *restarts > 1).await;
        server.resume();
        restarted(crew).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flushed_redis_costs_only_a_pause() {
    let (server, queue) = stage().await;
    survives(&queue, async |crew| {
        ::redis::cmd("FLUSHALL").exec_async(&mut server.connection().await).await.expect("a flush");
        restarted(crew).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_costs_only_a_pause() {
    let (server, queue) = stage().await;
    survives(&queue, async |crew| {
        let mut cut = ::redis::cmd("CLIENT");
        cut.arg("KILL")
            .arg("TYPE")
            .arg("normal")
            .exec_async(&mut server.connection().await)
            .await
            .expect("a cut");
        restarted(crew).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_without_data_are_wiped_after_three_deaths_and_the_queue_goes_on() {
    let (server, queue) = stage().await;
    poisoned(&server, &queue, async |connection, config| {
        connection.del::<_, ()>(config.job_data_hash()).await.expect("a loss");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_are_no_hints_are_wiped_after_three_deaths_and_the_queue_goes_on() {
    let (server, queue) = stage().await;
    poisoned(&server, &queue, async |connection, config| {
        let names: Vec<String> = connection.hkeys(config.job_data_hash()).await.expect("names");
        for name in names {
            connection.hset::<_, _, _, ()>(config.job_data_hash(), name, "nonsense").await.expect("a change");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_a_wrong_type_is_wiped_after_three_deaths_and_the_queue_goes_on() {
    let (server, queue) = stage().await;
    poisoned(&server, &queue, async |connection, config| {
        connection.set::<_, _, ()>(config.active_jobs_list(), "nonsense").await.expect("a change");
    })
    .await;
}

async fn poisoned(
    server: &RedisServer,
    queue: &Queue,
    poison: impl AsyncFnOnce(&mut MultiplexedConnection, apalis_redis::Config),
) {
    for _ in 0..5 {
        push(queue, 1).await;
    }
    poison(&mut server.connection().await, redis_of(queue).config(NAME)).await;
    let (crew, mut hints) = Crew::listening(queue, 1);
    crew.until("three died", |(_, restarts)| *restarts >= 3).await;
    eventually("the queue is empty", async || matches!(queue.depth(NAME).await, Ok(0))).await;
    let after = push(queue, 3).await;
    assert_eq!(handled(&mut hints, 3).await, after);
    crew.end().await;
}
