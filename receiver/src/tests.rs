//! The receiver, called by a real client.

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::{
    clock::Millis,
    signature::{SigningSecret, VerifyError, sign},
};
use http::{HeaderMap, Method};

use super::{Answer, Call, MAX_BODY_BYTES, Receiver, recorder::Recorder};

const SOON: Duration = Duration::from_secs(10);

async fn receiver() -> Receiver {
    Receiver::start(0).await.expect("a free port")
}

fn client() -> reqwest::Client {
    // An earlier test of this process may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

async fn post(receiver: &Receiver, body: &'static str) -> reqwest::Result<reqwest::Response> {
    client().post(receiver.url("/hook?x=1")).header("webhook-id", "evt_1").body(body).send().await
}

#[tokio::test]
async fn a_call_is_kept_as_it_came_and_gets_200() {
    let receiver = receiver().await;
    let response = post(&receiver, r#"{"a":1}"#).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let calls = receiver.calls();
    assert_eq!((calls.len(), receiver.count()), (1, 1));
    assert_eq!((calls[0].method.as_str(), calls[0].path.as_str()), ("POST", "/hook?x=1"));
    assert_eq!((calls[0].webhook_id(), calls[0].answered), (Some("evt_1"), 200));
    assert_eq!(calls[0].json(), Some(serde_json::json!({"a": 1})));
    receiver.stop().await;
}

#[tokio::test]
async fn a_script_is_followed_and_then_the_default() {
    let receiver = receiver().await;
    receiver.answer_always(Answer::Status(204));
    let headers = vec![("retry-after".to_owned(), "7".to_owned()), ("not valid".to_owned(), "x".to_owned())];
    receiver.answer([
        Answer::Status(500),
        Answer::StatusWith { status: 429, headers, body: "slow".into() },
        Answer::Drop,
    ]);
    assert_eq!(post(&receiver, "").await.expect("an answer").status(), 500);
    let slow = post(&receiver, "").await.expect("an answer");
    assert_eq!((slow.status().as_u16(), slow.headers()["retry-after"].to_str().ok()), (429, Some("7")));
    assert_eq!(slow.text().await.expect("a body"), "slow");
    assert!(post(&receiver, "").await.is_err(), "the connection was closed");
    assert_eq!(post(&receiver, "").await.expect("an answer").status(), 204);
    let answered: Vec<u16> = receiver.calls().iter().map(|call| call.answered).collect();
    assert_eq!(answered, [500, 429, 0, 204]);
}

#[tokio::test]
async fn a_call_of_another_path_gets_404_and_uses_up_no_script() {
    let receiver = receiver().await;
    receiver.only_at("/hook");
    receiver.answer([Answer::Status(500)]);
    let other = client().get(receiver.url("/favicon.ico")).send().await.expect("an answer");
    assert_eq!(other.status(), 404);
    assert_eq!(post(&receiver, "").await.expect("an answer").status(), 500);
}

#[tokio::test]
async fn a_path_has_a_script_of_its_own_whose_last_answer_stays() {
    let receiver = receiver().await;
    receiver.answer_at("/hook", [Answer::Status(503), Answer::Status(201)]);
    let other = client().get(receiver.url("/other")).send().await.expect("an answer");
    assert_eq!(other.status(), 200);
    for status in [503, 201, 201] {
        assert_eq!(post(&receiver, "").await.expect("an answer").status(), status);
    }
    receiver.answer_at("/hook", []);
    assert_eq!(post(&receiver, "").await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn a_delay_is_kept_and_a_hang_lasts_until_the_client_gives_up() {
    let receiver = receiver().await;
    receiver.answer([Answer::Delay(Duration::from_millis(60), 202), Answer::Hang]);
    let start = Instant::now();
    assert_eq!(post(&receiver, "").await.expect("an answer").status(), 202);
    assert!(start.elapsed() >= Duration::from_millis(60));
    let request = client().get(receiver.url("/")).timeout(Duration::from_millis(50)).send();
    assert!(request.await.expect_err("no answer").is_timeout());
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn stopping_ends_calls_that_hang_and_frees_the_port() {
    let receiver = receiver().await;
    receiver.answer_always(Answer::Hang);
    let (port, caller) = (receiver.address().port(), receiver.clone());
    let call = tokio::spawn(async move { post(&caller, "").await });
    receiver.wait_for(1, SOON).await;
    receiver.stop().await;
    assert!(call.await.expect("no panic").is_err());
    Receiver::start(port).await.expect("the port is free again").stop().await;
}

#[tokio::test]
async fn a_body_is_read_up_to_the_bound() {
    let receiver = receiver().await;
    let send = async |bytes| {
        let request = client().post(receiver.url("/")).body(vec![b'x'; bytes]).send();
        request.await.map(|response| response.status().as_u16()).ok()
    };
    assert_eq!(send(MAX_BODY_BYTES).await, Some(200));
    // The client may be cut off before it has read the answer.
    assert!(matches!(send(MAX_BODY_BYTES + 1).await, Some(413) | None));
    let kept: Vec<(u16, usize)> =
        receiver.calls().iter().map(|call| (call.answered, call.body.len())).collect();
    assert_eq!(kept, [(200, MAX_BODY_BYTES), (413, 0)]);
}

#[tokio::test]
async fn subscribers_see_each_call_and_waiting_ends_early_or_in_time() {
    let receiver = receiver().await;
    let mut seen = receiver.subscribe();
    assert!(receiver.wait_for(1, Duration::ZERO).await.is_empty());
    let (waiting, sent) = tokio::join!(receiver.wait_for(1, SOON), post(&receiver, "body"));
    sent.expect("an answer");
    assert_eq!(waiting.len(), 1);
    assert_eq!(seen.recv().await.expect("a call").body, "body");
}

#[test]
fn only_the_last_calls_are_kept_and_only_so_many_bytes() {
    let recorder = Recorder::with_bounds(3, 10);
    for body in ["aaa", "bbb", "ccc", "dddd"] {
        recorder.record(call(body));
    }
    let bodies =
        |recorder: &Recorder| recorder.calls().iter().map(|call| call.body.len()).collect::<Vec<_>>();
    assert_eq!((bodies(&recorder), recorder.count()), (vec![3, 3, 4], 4));
    recorder.record(call("eeeeeee"));
    assert_eq!((bodies(&recorder), recorder.count()), (vec![7], 5), "4 and 7 bytes are more than 10");
}

#[test]
fn a_signature_is_checked_over_headers_and_body() {
    let secret = SigningSecret::generate();
    let now = Millis(1_700_000_000_123);
    let mut signed = call("{}");
    for (name, value) in [
        ("webhook-id", "evt_1".to_owned()),
        ("webhook-timestamp", "1700000000".to_owned()),
        ("webhook-signature", sign(std::slice::from_ref(&secret), "evt_1", 1_700_000_000, b"{}")),
    ] {
        signed.headers.insert(name, value.parse().expect("a value"));
    }
    assert_eq!(signed.verify(&secret, now), Ok(()));
    assert_eq!(signed.verify(&SigningSecret::generate(), now), Err(VerifyError::NoMatch));
    assert_eq!(signed.verify(&secret, Millis(now.0 + 301_000)), Err(VerifyError::TooOld));
    assert_eq!(call("{}").verify(&secret, now), Err(VerifyError::BadTimestamp));
}

fn call(body: &'static str) -> Call {
    Call {
        method: Method::POST,
        path: "/".to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(body.as_bytes()),
        at: Instant::now(),
        answered: 200,
    }
}
