//! What holds for both kinds of queue.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use domain::job::WINDOW;
use tokio::sync::Semaphore;

use super::{
    server::{RedisServer, namespace},
    *,
};

macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                super::$name(Queue::memory()).await;
            })+
        }
        mod redis {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                let server = RedisServer::any().await;
                super::$name(Queue::redis_in(server.url(), &namespace()).await.expect("a queue")).await;
            })+
        }
    };
}

on_both!(
    every_id_is_handled_and_the_window_never_passed,
    no_more_handlers_run_than_allowed,
    a_panic_or_an_error_ends_only_its_job,
    a_hint_wakes_an_idle_worker,
    stop_lets_running_handlers_end_and_leaves_the_rest,
    an_idle_worker_stops_at_once,
);

async fn every_id_is_handled_and_the_window_never_passed(queue: Queue) {
    let (crew, mut hints) = Crew::listening(&queue, 64);
    let pushed = ids(3 * WINDOW);
    let pusher = tokio::spawn({
        let (queue, mut left) = (queue.clone(), pushed.clone());
        async move {
            while !left.is_empty() {
                let taken =
                    queue.push(NAME, &Hint::of(&left).caused_by(Some("request"))).await.expect("a push");
                left.drain(..taken);
                assert!(queue.depth(NAME).await.expect("a count") <= WINDOW);
                tokio::task::yield_now().await;
            }
        }
    });
    assert_eq!(handled(&mut hints, pushed.len()).await, pushed);
    pusher.await.expect("the pusher ends");
    assert_eq!(queue.depth(NAME).await.expect("a count"), 0);
    assert_eq!(crew.status.restarts(), 0);
    crew.end().await;
}

async fn no_more_handlers_run_than_allowed(queue: Queue) {
    let (running, most, gate) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (seen, mut begun) = mpsc::unbounded_channel();
    let crew = Crew::start(&queue, 8, {
        let (running, most, gate) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&gate));
        move |_| {
            let (running, most, gate, seen) =
                (Arc::clone(&running), Arc::clone(&most), Arc::clone(&gate), seen.clone());
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                seen.send(())?;
                gate.acquire().await?.forget();
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        }
    });
    for _ in 0..40 {
        queue.push(NAME, &Hint::of(&ids(1))).await.expect("a push");
    }
    for _ in 0..8 {
        next(&mut begun).await;
    }
    assert_eq!(queue.depth(NAME).await.expect("a count"), 32, "nothing is fetched that cannot start");
    for _ in 8..40 {
        gate.add_permits(1);
        next(&mut begun).await;
    }
    gate.add_permits(8);
    assert_eq!(most.load(Ordering::SeqCst), 8);
    crew.end().await;
}

async fn a_panic_or_an_error_ends_only_its_job(queue: Queue) {
    // These panics are meant. Where backtraces are asked for, writing one keeps a busy machine from all else for seconds.
    std::panic::set_hook(Box::new(|_| ()));
    let (seen, mut said) = mpsc::unbounded_channel();
    let crew = Crew::start(&queue, 4, move |hint: Hint| {
        seen.send(hint.ids.len()).expect("the test listens");
        assert!(hint.ids.len() != 1, "one id too few");
        async move {
            assert!(hint.ids.len() != 2, "two ids are not enough");
            if hint.ids.len() == 3 { Err("three is a crowd".into()) } else { Ok(()) }
        }
    });
    for count in [1, 2, 3, 4] {
        queue.push(NAME, &Hint::of(&ids(count))).await.expect("a push");
    }
    let mut counts =
        [next(&mut said).await, next(&mut said).await, next(&mut said).await, next(&mut said).await];
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3, 4]);
    assert_eq!(crew.status.restarts(), 0, "our own faults are not the worker's");
    crew.end().await;
}

async fn a_hint_wakes_an_idle_worker(queue: Queue) {
    let (crew, mut hints) = Crew::listening(&queue, 16);
    crew.running().await;
    let mut waits = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        queue.push(NAME, &Hint::of(&ids(1))).await.expect("a push");
        next(&mut hints).await;
        waits.push(begun.elapsed());
    }
    waits.sort_unstable();
    // Polling alone would take half a second each; one or two may fall into the subscription's own start.
    assert!(waits[15] < POLL_EVERY / 5, "{waits:?}");
    crew.end().await;
}

async fn stop_lets_running_handlers_end_and_leaves_the_rest(queue: Queue) {
    let (gate, (seen, mut begun), (done, mut ended)) =
        (Arc::new(Semaphore::new(0)), mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let crew = Crew::start(&queue, 4, {
        let gate = Arc::clone(&gate);
        move |_| {
            let (gate, seen, done) = (Arc::clone(&gate), seen.clone(), done.clone());
            async move {
                seen.send(())?;
                gate.acquire().await?.forget();
                Ok(done.send(())?)
            }
        }
    });
    for _ in 0..10 {
        queue.push(NAME, &Hint::of(&ids(1))).await.expect("a push");
    }
    for _ in 0..4 {
        next(&mut begun).await;
    }
    crew.stop.cancel();
    gate.add_permits(10);
    crew.end().await;
    let finished = std::iter::from_fn(|| ended.try_recv().ok()).count();
    assert_eq!(finished, 4, "those that ran were waited for, and no more began");
    assert_eq!(queue.depth(NAME).await.expect("a count"), 6);

    let (crew, mut hints) = Crew::listening(&queue, 4);
    assert_eq!(handled(&mut hints, 6).await.len(), 6, "another worker takes the rest");
    crew.end().await;
}

async fn an_idle_worker_stops_at_once(queue: Queue) {
    let (crew, _hints) = Crew::listening(&queue, 4);
    crew.running().await;
    let begun = Instant::now();
    crew.end().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "took {:?}", begun.elapsed());
}
