//! One machine: the process dies in the middle, and comes back.

use std::{collections::BTreeSet, time::Duration};

use testkit::{Answer, Receiver, wait::until};

use crate::{
    one_machine::OneMachine,
    tally::{calls_by_id, files, names},
};

const UPLOADS: usize = 200;
const AT_ONCE: usize = 32;
/// How long the receiver takes: long enough for sends to be under way at the kill.
const SLOW: Duration = Duration::from_millis(400);
const ARRIVE_WITHIN: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_200_uploads_under_way_it_delivers_all_and_repeats_none_that_it_had_recorded() {
    let (machine, receiver) = (OneMachine::new(), Receiver::start(0).await.expect("a free port"));
    receiver.answer_always(Answer::Delay(SLOW, 200));
    let mut process = machine.start().await;
    let webhook = machine.client().register(&receiver.url("/hook")).await;

    let sent = machine.client().upload_each(webhook, names("file", UPLOADS), AT_ONCE).await;
    assert!(sent.iter().all(|sent| sent.is_accepted()), "{sent:?}");
    // At the kill some have arrived, some are on their way and some were not touched.
    let rows = machine.rows();
    until("a quarter was recorded", ARRIVE_WITHIN, async || {
        (rows.counts().await.succeeded >= UPLOADS as i64 / 4).then_some(())
    })
    .await;
    process.kill();

    let lying = machine.rows_as_they_lie();
    let at_kill = lying.counts().await;
    let recorded = lying.ids_with_numbers("SELECT event_id, attempts FROM finished_delivery").await;
    println!("at the kill: {at_kill:?}, {} calls", receiver.count());
    assert_eq!(at_kill.uploads, UPLOADS as i64);
    assert!(!at_kill.is_idle(), "the kill came too late to show anything");

    let _process = machine.start().await;
    until("no work is left", ARRIVE_WITHIN, async || rows.counts().await.is_idle().then_some(())).await;
    let (after, calls) = (rows.counts().await, receiver.calls());
    let by_id = calls_by_id(&calls);
    let twice = by_id.values().filter(|count| **count > 1).count();
    println!("after the restart: {after:?}, {} calls, {twice} ids came twice", calls.len());

    assert_eq!((after.succeeded, after.dead), (UPLOADS as i64, 0));
    assert_eq!(files(&calls), names("file", UPLOADS).into_iter().collect::<BTreeSet<_>>());
    for (id, attempts) in recorded {
        assert_eq!(by_id[&id] as i64, attempts, "{id} was recorded as finished and sent again");
    }
    assert!(by_id.values().all(|count| *count <= 2), "one crash repeats a send at most once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_file_refuses_in_one_clear_line() {
    let machine = OneMachine::new();
    let mut first = machine.start().await;
    let ports = OneMachine::new();
    let second = machine
        .launch("second")
        .set("API_ADDR", format!("127.0.0.1:{}", ports.api_port()))
        .set("DASHBOARD_ADDR", format!("127.0.0.1:{}", ports.dashboard_port()));
    let ended = second.run(Duration::from_secs(20)).await;
    println!("the second said: {}", ended.output.trim());
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.output.matches("another hookyard process uses").count(), 1);
    assert!(ended.output.contains("app.db: stop it, or give this one its own DATA_DIR"));
    assert!(first.ended().is_none() && machine.client().is_ready().await, "the first was disturbed");
}
