//! Short stories of processes: how they stop, and what their end is called.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

/// What happened, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn record(&self, what: impl Into<String>) {
        self.0.lock().expect("not poisoned").push(what.into());
    }

    fn entries(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").clone()
    }

    /// A service that runs until asked to stop, and records both ends of its shutdown.
    fn obedient(&self, name: &'static str) -> Service {
        let diary = self.clone();
        Service::new(name, move |stop| async move {
            stop.cancelled().await;
            diary.record(format!("{name} stopping"));
            tokio::task::yield_now().await;
            diary.record(format!("{name} done"));
            Ok(())
        })
    }
}

fn failing(name: &'static str) -> Service {
    Service::new(name, |_| async { Err("disk is full".into()) })
}

fn stubborn(name: &'static str) -> Service {
    Service::new(name, |_| pending())
}

fn stopped() -> CancellationToken {
    let token = CancellationToken::new();
    token.cancel();
    token
}

#[tokio::test]
async fn services_stop_in_order_each_after_the_one_before() {
    let diary = Diary::default();
    let services = vec![diary.obedient("http"), diary.obedient("sends"), diary.obedient("recorder")];
    let stop = CancellationToken::new();
    let asked = Service::new("asks", {
        let stop = stop.clone();
        |_| async move {
            stop.cancel();
            Ok(())
        }
    });
    let all = services.into_iter().chain([asked]).collect();
    assert!(Supervisor::run(all, stop, MINUTE).await.is_ok());
    let order =
        ["http stopping", "http done", "sends stopping", "sends done", "recorder stopping", "recorder done"];
    assert_eq!(diary.entries(), order);
}

#[tokio::test]
async fn a_service_that_fails_stops_the_others_and_is_named() {
    let diary = Diary::default();
    let services = vec![diary.obedient("http"), failing("recorder")];
    let failed = Supervisor::run(services, CancellationToken::new(), MINUTE).await.expect_err("failed");
    assert_eq!(failed.to_string(), "recorder failed: disk is full");
    assert_eq!(diary.entries(), ["http stopping", "http done"]);
}

#[tokio::test]
async fn a_panic_is_a_failure_with_its_message() {
    let services: [Service; 2] = [
        Service::new("a", |_| async { panic!("index {} is out", 7) }),
        Service::new("a", |_| async { panic!("plain") }),
    ];
    for (service, message) in services.into_iter().zip(["a panicked: index 7 is out", "a panicked: plain"]) {
        let diary = Diary::default();
        let run = Supervisor::run(vec![service, diary.obedient("b")], CancellationToken::new(), MINUTE);
        assert_eq!(run.await.expect_err("failed").to_string(), message);
        assert_eq!(diary.entries(), ["b stopping", "b done"]);
    }
}

#[tokio::test]
async fn a_service_may_return_early_and_leaves_the_others_running() {
    let (diary, stop) = (Diary::default(), CancellationToken::new());
    let early = Service::new("clean-up", |_| async { Ok(()) });
    let run = tokio::spawn(Supervisor::run(vec![early, diary.obedient("http")], stop.clone(), MINUTE));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!run.is_finished() && diary.entries().is_empty());
    stop.cancel();
    assert!(run.await.expect("no panic").is_ok());
}

#[tokio::test]
async fn a_process_whose_services_have_all_returned_ends() {
    let services = vec![Service::new("once", |_| async { Ok(()) })];
    assert!(Supervisor::run(services, CancellationToken::new(), MINUTE).await.is_ok());
    assert!(Supervisor::run(Vec::new(), CancellationToken::new(), MINUTE).await.is_ok());
}

#[tokio::test]
async fn a_deadline_lets_the_next_be_told_while_the_first_still_drains() {
    let (diary, drained) = (Diary::default(), CancellationToken::new());
    let slow = Service::new("slow", {
        let (diary, drained) = (diary.clone(), drained.clone());
        |stop| async move {
            stop.cancelled().await;
            drained.cancelled().await;
            diary.record("slow done");
            Ok(())
        }
    });
    let next = Service::new("next", {
        let diary = diary.clone();
        move |stop| async move {
            stop.cancelled().await;
            diary.record("next stopping");
            drained.cancel();
            Ok(())
        }
    });
    let services = vec![slow.with_deadline(Duration::ZERO), next];
    assert!(Supervisor::run(services, stopped(), MINUTE).await.is_ok());
    assert_eq!(diary.entries(), ["next stopping", "slow done"]);
}

#[tokio::test]
async fn what_does_not_stop_in_time_is_cut_off_and_named() {
    let (held, dropped) = tokio::sync::oneshot::channel::<()>();
    let holder = Service::new("a", |_| async move {
        let _held = held;
        pending().await
    });
    let failed = Supervisor::run(vec![holder, stubborn("c")], stopped(), Duration::ZERO).await;
    assert_eq!(failed.expect_err("overdue").to_string(), "not stopped in time: a, c");
    assert!(dropped.await.is_err(), "cut off, it lets go of what it held");
}

#[tokio::test]
async fn a_failure_while_stopping_is_still_a_failure() {
    let late = Service::new("recorder", |stop| async move {
        stop.cancelled().await;
        Err("lost the database".into())
    });
    let failed = Supervisor::run(vec![late], stopped(), MINUTE).await.expect_err("failed");
    assert_eq!(failed.to_string(), "recorder failed: lost the database");
}

#[tokio::test]
async fn the_first_failure_is_the_one_returned() {
    let second = Service::new("second", |stop| async move {
        stop.cancelled().await;
        Err("consequence".into())
    });
    let failed = Supervisor::run(vec![second, failing("first")], CancellationToken::new(), MINUTE).await;
    assert_eq!(failed.expect_err("failed").to_string(), "first failed: disk is full");
}
