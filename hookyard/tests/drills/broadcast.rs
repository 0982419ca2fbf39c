//! A broadcast that is cut by a crash: recipients with a recorded delivery get it once, and none is left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use channels::VapidKeys;
use serde_json::{Value, json};
use testkit::{Answer, Receiver, process::Launch, push_service::PushService, rows::Rows, wait::until};
use uuid::Uuid;

use crate::one_machine::OneMachine;

/// More than two pages.
const BROWSERS: u128 = 2_500;
const ARRIVE_WITHIN: Duration = Duration::from_secs(90);
/// Below every id that is made from now on.
const FIRST: u128 = 0x0190_0000_0000_7000_8000_0000_0000_0000;

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_cut_by_a_kill_reaches_every_recipient_and_repeats_no_recorded_delivery() {
    let (machine, service) = (OneMachine::new(), Receiver::start(0).await.expect("a free port"));
    service.answer_always(Answer::Delay(Duration::from_millis(100), 201));
    let launch = with_web_push(machine.launch("hookyard"));
    let mut process = machine.start_as(&launch).await;
    subscribe(&machine.rows(), &service).await;

    let response = notify(machine.api_port()).await;
    assert_eq!(response["results"]["web_push"], json!({"total": BROWSERS, "queued": BROWSERS}));
    let rows = machine.rows();
    until("a delivery is recorded", ARRIVE_WITHIN, async || {
        (rows.counts().await.succeeded > 0).then_some(())
    })
    .await;
    process.kill();

    let lying = machine.rows_as_they_lie();
    let recorded = lying.ids_with_numbers("SELECT recipient_id, attempts FROM finished_delivery").await;
    let made = lying.number("SELECT queued FROM broadcast").await;
    println!("at the kill: {made} deliveries made, {} recorded, {} calls", recorded.len(), service.count());
    assert!(recorded.len() < BROWSERS as usize, "the kill came too late to show anything");

    let _process = machine.start_as(&launch).await;
    until("no work is left", ARRIVE_WITHIN, async || {
        let running = rows.number("SELECT count(*) FROM broadcast WHERE state = 'running'").await;
        (running == 0 && rows.counts().await.is_idle()).then_some(())
    })
    .await;
    let calls = calls_by_browser(&service);
    let twice = calls.values().filter(|count| **count > 1).count();
    println!("after the restart: {} browsers called, {twice} of them twice", calls.len());
    let all: BTreeSet<Uuid> = (0..BROWSERS).map(browser).collect();
    assert_eq!(calls.keys().copied().collect::<BTreeSet<_>>(), all, "none is left out");
    for (id, _) in recorded {
        assert_eq!(calls[&id], 1, "{id} had it recorded and got it again");
    }
    assert!(calls.values().all(|count| *count <= 2), "one crash repeats a send at most once");
}

fn browser(number: u128) -> Uuid {
    Uuid::from_u128(FIRST + number)
}

fn with_web_push(launch: Launch) -> Launch {
    let (private, public) = VapidKeys::generate();
    launch
        .set("VAPID_PRIVATE_KEY", private)
        .set("VAPID_PUBLIC_KEY", public)
        .set("VAPID_EMAIL", "ops@example.org")
}

/// Rows as subscribing would leave them, in one statement.
async fn subscribe(rows: &Rows, service: &Receiver) {
    let (keys, lane) = (PushService::browser(), domain::notification::push_lane(&service.url("")));
    let (lane, p256dh, auth) = (lane.0.simple(), hex::encode(keys.public()), hex::encode(keys.auth()));
    let row = |number| {
        let (id, endpoint) = (browser(number).simple(), service.url(&format!("/{}", browser(number))));
        format!("(x'{id}', '{endpoint}', x'{lane}', x'{p256dh}', x'{auth}', 0, 0)")
    };
    let values: Vec<String> = (0..BROWSERS).map(row).collect();
    rows.change(&format!("INSERT INTO lane (id, channel) VALUES (x'{lane}', 'web_push')")).await;
    let columns = "id, endpoint, lane_id, p256dh, auth, created_at, updated_at";
    rows.change(&format!("INSERT INTO push_subscription ({columns}) VALUES {}", values.join(", "))).await;
}

async fn notify(port: u16) -> Value {
    let url = format!("http://127.0.0.1:{port}/api/notify");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = http.post(url).json(&json!({"message": "m"})).send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

fn calls_by_browser(service: &Receiver) -> BTreeMap<Uuid, usize> {
    let mut calls = BTreeMap::new();
    for call in service.calls() {
        let id: Uuid = call.path.trim_start_matches('/').parse().expect("a browser's path");
        *calls.entry(id).or_default() += 1;
    }
    calls
}
