//! The bound of the queue: exact, counted in whole jobs, and shared by all processes.

use std::{collections::BTreeSet, sync::Arc};

use domain::job::{Job, MAX_DELIVERIES_PER_JOB, QueueName, WINDOW};
use platform::queue::{Pushed, Queue};
use redis::AsyncCommands;
use tokio::{
    sync::{Barrier, mpsc},
    task::JoinSet,
    time::timeout,
};

use super::{
    PATIENCE,
    backends::Backends,
    eventually,
    jobs::{NAME, Taker, deliveries, job, jobs, push_all, upload, weight},
    server::{RedisServer, namespace},
};

const PUSHERS: usize = 10;

#[tokio::test]
async fn the_window_takes_its_last_delivery_and_refuses_one_more() {
    let backends = Backends::start().await;
    for (name, queue) in backends.each() {
        let full = jobs(WINDOW / MAX_DELIVERIES_PER_JOB, MAX_DELIVERIES_PER_JOB);
        let expected = Pushed { jobs: full.len(), waiting: WINDOW };
        assert_eq!(queue.push(NAME, &full).await.unwrap(), expected, "{name}");
        let refused = Pushed { jobs: 0, waiting: WINDOW };
        assert_eq!(queue.push(NAME, &[job(1)]).await.unwrap(), refused, "{name}");
        assert_eq!(queue.depth(NAME).await.unwrap(), WINDOW, "{name}");

        let other = queue.push(QueueName::Uploads, &[upload()]).await.unwrap();
        assert_eq!(other, Pushed { jobs: 1, waiting: 1 }, "{name}: each queue has a window of its own");
        assert_eq!(queue.depth(QueueName::Broadcasts).await.unwrap(), 0, "{name}");
    }
}

#[tokio::test]
async fn a_job_that_does_not_fit_stays_out_with_all_that_follow_it() {
    let backends = Backends::start().await;
    for (name, queue) in backends.each() {
        push_all(queue, &jobs(WINDOW / 32 - 1, 32)).await;
        push_all(queue, &[job(29)]).await;
        // Three places are left: for the first, not for the second; the third would fit, but comes after it.
        let pushed = queue.push(NAME, &[job(2), job(2), job(1)]).await.unwrap();
        assert_eq!(pushed, Pushed { jobs: 1, waiting: WINDOW - 1 }, "{name}");
        assert_eq!(queue.push(NAME, &[job(1)]).await.unwrap(), Pushed { jobs: 1, waiting: WINDOW }, "{name}");
        assert_eq!(queue.depth(NAME).await.unwrap(), WINDOW, "{name}");
    }
}

#[tokio::test]
async fn a_job_weighs_as_much_as_it_has_deliveries() {
    let backends = Backends::start().await;
    for (name, queue) in backends.each() {
        let mut waiting = 0;
        for deliveries in 1..=MAX_DELIVERIES_PER_JOB {
            waiting += deliveries;
            let pushed = queue.push(NAME, &[job(deliveries)]).await.unwrap();
            assert_eq!(pushed, Pushed { jobs: 1, waiting }, "{name}");
            assert_eq!(queue.depth(NAME).await.unwrap(), waiting, "{name}");
        }
        assert_eq!(queue.push(NAME, &[]).await.unwrap(), Pushed::default(), "{name}: nothing to push");
    }
}

#[tokio::test]
async fn a_push_of_more_jobs_than_one_call_may_carry_takes_all_that_fit() {
    let server = RedisServer::any().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    let pushed = queue.push(NAME, &jobs(1_025, 1)).await.unwrap();
    assert_eq!(pushed, Pushed { jobs: 1_025, waiting: 1_025 });
    let pushed = queue.push(NAME, &jobs(WINDOW, 1)).await.unwrap();
    assert_eq!(pushed, Pushed { jobs: WINDOW - 1_025, waiting: WINDOW });
}

#[tokio::test]
async fn taken_jobs_make_room() {
    let backends = Backends::start().await;
    for (name, queue) in backends.each() {
        let pushed: Vec<Job> = (1..=MAX_DELIVERIES_PER_JOB).map(job).collect();
        push_all(queue, &pushed).await;
        let mut taker = Taker::new(queue, 1);
        let mut waiting = weight(&pushed);
        for expected in &pushed {
            assert_eq!(taker.next().await, *expected, "{name}: first in, first out");
            // A source counts the jobs of a pop with its next pop.
            let depth = queue.depth(NAME).await.unwrap();
            assert!((waiting - expected.weight()..=waiting).contains(&depth), "{name}: {depth} of {waiting}");
            waiting -= expected.weight();
        }
        assert_eq!(taker.stop().await, [], "{name}");
        assert_eq!(queue.depth(NAME).await.unwrap(), 0, "{name}");
        push_all(queue, &jobs(WINDOW / 32, 32)).await;
    }
}

#[tokio::test]
async fn a_source_that_stopped_has_counted_what_it_took() {
    let server = RedisServer::any().await;
    let queue = Queue::redis_in(server.url(), &namespace()).await.unwrap();
    push_all(&queue, &jobs(WINDOW / 32, 32)).await;
    let mut taker = Taker::new(&queue, 4);
    let mut taken = vec![taker.next().await];
    taken.extend(taker.stop().await);
    assert_eq!(taken.len(), 4);
    assert_eq!(queue.depth(NAME).await.unwrap(), WINDOW - weight(&taken));
    let refill = queue.push(NAME, &jobs(5, 32)).await.unwrap();
    assert_eq!(refill, Pushed { jobs: 4, waiting: WINDOW });
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pushers_at_once_fill_the_window_and_never_pass_it() {
    let backends = Backends::start().await;
    let start = Arc::new(Barrier::new(2 * PUSHERS));
    let mut pushers = JoinSet::new();
    for pusher in 0..PUSHERS {
        for (place, queue) in backends.as_other_process().await.into_iter().enumerate() {
            let start = Arc::clone(&start);
            pushers.spawn(async move {
                start.wait().await;
                (place, fill(&queue, pusher).await)
            });
        }
    }
    let mut taken = [const { Vec::new() }; 2];
    for (place, jobs) in pushers.join_all().await {
        taken[place].extend(deliveries(&jobs));
    }
    for ((name, queue), taken) in backends.each().into_iter().zip(taken) {
        assert_eq!(taken.len(), WINDOW, "{name}");
        assert_eq!(queue.depth(NAME).await.unwrap(), WINDOW, "{name}");
        let mut taker = Taker::new(queue, 16);
        let mut waited = Vec::new();
        while waited.len() < WINDOW {
            waited.extend(deliveries(&[taker.next().await]));
        }
        assert_eq!(taker.stop().await, [], "{name}: what was taken is what waited");
        assert_eq!(BTreeSet::from_iter(waited), BTreeSet::from_iter(taken), "{name}");
    }
}

/// Pushes jobs of all weights until not even one delivery is taken; returns those that were.
async fn fill(queue: &Queue, pusher: usize) -> Vec<Job> {
    let mut taken = Vec::new();
    loop {
        let mut offered: Vec<Job> =
            (0..5).map(|n| job(1 + (taken.len() + pusher * 7 + n * 11) % MAX_DELIVERIES_PER_JOB)).collect();
        let pushed = queue.push(NAME, &offered).await.unwrap();
        assert!(pushed.waiting <= WINDOW, "{pushed:?}");
        if pushed.jobs == 0 {
            // The window has places left, but too few for the first job.
            offered = vec![job(1)];
            if queue.push(NAME, &offered).await.unwrap().jobs == 0 {
                return taken;
            }
        } else {
            offered.truncate(pushed.jobs);
        }
        taken.extend(offered);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sources_share_the_jobs_of_many_pushers_and_each_is_handed_out_once() {
    const JOBS_OF_EACH: usize = 150;
    const SOURCES: usize = 4;
    let backends = Backends::start().await;
    for (place, (name, queue)) in backends.each().into_iter().enumerate() {
        let (handed_out, mut taken) = mpsc::unbounded_channel();
        let (mut takers, mut pushers) = (JoinSet::new(), JoinSet::new());
        for _ in 0..SOURCES {
            let (handed_out, mut taker) =
                (handed_out.clone(), Taker::new(&backends.as_other_process().await[place], 16));
            takers.spawn(async move {
                loop {
                    handed_out.send(taker.next().await).unwrap();
                }
            });
        }
        for pusher in 0..PUSHERS {
            let queue = backends.as_other_process().await[place].clone();
            pushers.spawn(async move {
                let jobs: Vec<Job> =
                    (0..JOBS_OF_EACH).map(|n| job(1 + (n + pusher) % MAX_DELIVERIES_PER_JOB)).collect();
                let mut left = jobs.as_slice();
                while !left.is_empty() {
                    let pushed = queue.push(NAME, &left[..left.len().min(9)]).await.unwrap();
                    assert!(pushed.waiting <= WINDOW, "{pushed:?}");
                    left = &left[pushed.jobs..];
                    tokio::task::yield_now().await;
                }
                deliveries(&jobs)
            });
        }
        let pushed = timeout(PATIENCE, pushers.join_all()).await.expect("the sources make room").concat();
        let mut handed = Vec::new();
        for _ in 0..PUSHERS * JOBS_OF_EACH {
            let job = timeout(PATIENCE, taken.recv()).await.expect("every job is handed out").unwrap();
            handed.extend(deliveries(&[job]));
        }
        assert_eq!(handed.len(), pushed.len(), "{name}");
        assert_eq!(BTreeSet::from_iter(handed), BTreeSet::from_iter(pushed), "{name}");
        eventually("nothing waits", async || queue.depth(NAME).await.unwrap() == 0).await;
        takers.shutdown().await;
        assert!(taken.try_recv().is_err(), "{name}: nothing is handed out twice");
    }
}

#[tokio::test]
async fn a_job_lies_in_redis_as_it_is_documented() {
    let (server, namespace) = (RedisServer::any().await, namespace());
    let queue = Queue::redis_in(server.url(), &namespace).await.unwrap();
    let pushed = [job(3), job(2)];
    push_all(&queue, &pushed).await;
    let (list, counter) =
        (format!("{{{namespace}:deliveries}}"), format!("{{{namespace}:deliveries}}:waiting"));
    let mut connection = server.connection().await;
    let mut keys: Vec<String> = connection.keys(format!("*{namespace}*")).await.unwrap();
    keys.sort();
    assert_eq!(keys, [list.clone(), counter.clone()]);
    let stored: Vec<Vec<u8>> = connection.lrange(list, 0, -1).await.unwrap();
    assert_eq!(stored, pushed.map(|job| serde_json::to_vec(&job).unwrap()));
    assert_eq!(connection.get::<_, usize>(counter).await.unwrap(), 5);
}
