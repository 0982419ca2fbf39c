//! Public shapes that others store or depend on. A change of a snapshot is a change of the contract: review it as one.
//! `INSTA_UPDATE=always cargo test -p domain --test snapshots` writes them again.

use domain::{
    clock::Millis,
    id::{EndpointId, UploadId, UserId},
    job::{HandedDelivery, Handover, Job, Leased, Work},
    problem::ProblemCode,
    upload::{Facts, Inspection, SafeFileName, UploadEvent, render_event},
};
use insta::assert_snapshot;
use uuid::Uuid;

#[test]
fn problem_codes() {
    let line = |code: &ProblemCode| format!("{} {}: {}", code.status(), code.code(), code.title());
    assert_snapshot!(ProblemCode::ALL.iter().map(line).collect::<Vec<_>>().join("\n"));
}

fn stored(work: Work) -> String {
    let job = Job {
        accepted_at: Millis(1_795_255_200_000),
        lease_until: Millis(1_795_255_215_000),
        work,
        request_id: Some("request-1".to_owned()),
    };
    let stored = serde_json::to_string_pretty(&job).expect("a job is JSON");
    assert_eq!(serde_json::from_str::<Job>(&stored).expect("a job"), job);
    stored
}

#[test]
fn stored_job_of_deliveries() {
    let delivery = |id: u128, body: Option<&str>| HandedDelivery {
        id: Uuid::from_u128(id),
        event: 0,
        user_id: Some(7),
        endpoint_id: Uuid::from_u128(3),
        claim: 1,
        has_own_body: body.is_some(),
        body: body.map(str::to_owned),
    };
    let mut handover = Handover::default();
    handover.push(Uuid::from_u128(1), Some(r#"{"a":1}"#), delivery(10, None));
    handover.push(Uuid::from_u128(1), Some(r#"{"a":1}"#), delivery(11, Some(r#"{"a":1,"b":2}"#)));
    handover.push(Uuid::from_u128(2), None, HandedDelivery { user_id: None, ..delivery(12, None) });
    assert_snapshot!(stored(Work::Deliveries(handover)));
}

#[test]
fn stored_job_of_an_upload() {
    assert_snapshot!(stored(Work::Upload(Leased { id: Uuid::from_u128(4), claim: 1 })));
}

#[test]
fn stored_job_of_a_broadcast() {
    assert_snapshot!(stored(Work::Broadcast(Leased { id: Uuid::from_u128(5), claim: 1 })));
}

fn event_body(inspection: &Inspection, download_url: Option<&str>) -> String {
    let body = render_event(&UploadEvent {
        timestamp: Millis(1_795_255_200_123),
        upload_id: UploadId(Uuid::from_u128(1)),
        webhook_id: EndpointId(Uuid::from_u128(2)),
        user_id: UserId(7),
        file_name: &SafeFileName::from_client("picture.png").expect("a name"),
        inspection,
        download_url,
    });
    serde_json::to_string_pretty(&body).expect("a body is JSON")
}

#[test]
fn event_of_a_processed_upload() {
    let inspection = Inspection {
        size_bytes: 68,
        sha256: Some("00ff".to_owned()),
        media_type: Some("image/png".to_owned()),
        facts: Some(Facts::Image { width: 1, height: 1 }),
        failure: None,
    };
    assert_snapshot!(event_body(&inspection, Some("http://127.0.0.1:8081/v1/uploads/x/file")));
}

#[test]
fn event_of_an_upload_that_failed() {
    let inspection = Inspection {
        size_bytes: 7,
        sha256: None,
        media_type: None,
        facts: None,
        failure: Some("the zip archive is broken: it ends too early".to_owned()),
    };
    assert_snapshot!(event_body(&inspection, None));
}
