//! The signature: right or 401, over the raw bytes, before anything else is looked at. And the size of a body.

use std::time::Duration;

use api::Limits;
use serde_json::json;
use testkit::ingest::signature;
use tokio::io::AsyncWriteExt;

use super::{nothing, with};
use crate::{
    both::on_both_databases,
    harness::{Answer, STALL, TestApi},
};

const MIB: usize = 1_024 * 1_024;
const KEY: &str = "correct-horse-battery";

#[track_caller]
fn is_not_signed(answer: &Answer) {
    assert_eq!((answer.status, answer.text()), (401, r#"{"detail":"invalid signature"}"#), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("www-authenticate"), Some("HMAC-SHA256"));
}

/// A message of exactly so many bytes.
fn of_size(bytes: usize) -> Vec<u8> {
    let mut message = with(json!({"filling": ""})).to_string().into_bytes();
    let place = message.len() - 2;
    message.splice(place..place, vec![b'x'; bytes - place - 2]);
    message
}

on_both_databases! {
    async fn a_signature_is_64_lowercase_hex_digits_of_the_raw_body(api: TestApi) {
        let body = with(json!({})).to_string();
        let right = signature(api.ingest_secret(), body.as_bytes());
        let post = async |signature: &str, body: &str| {
            api.send("POST", "/webhook", &[("x-signature", signature)], body.as_bytes()).await
        };
        is_not_signed(&api.send("POST", "/webhook", &[], body.as_bytes()).await);
        for wrong in [
            "",
            "x",
            &right[..63],
            &format!("{right}0"),
            &right.to_uppercase(),
            &format!("g{}", &right[1..]),
            &format!("sha256={right}"),
            &format!("sha256={}", &right[7..]),
            &signature("another secret", body.as_bytes()),
            &"0".repeat(64),
        ] {
            is_not_signed(&post(wrong, &body).await);
        }
        is_not_signed(&post(&right, &format!("{body} ")).await);
        is_not_signed(&post(&right, &body.replace("Hello", "hello")).await);
        let twice = [("x-signature", right.as_str()), ("x-signature", right.as_str())];
        is_not_signed(&api.send("POST", "/webhook", &twice, body.as_bytes()).await);
        assert_eq!(api.get("/messages").await.json(), nothing());
        post(&right, &body).await.is_taken();
    }

    async fn the_signature_is_checked_before_anything_is_parsed(api: TestApi) {
        for body in ["nonsense", "{}", ""] {
            let answer = api.send("POST", "/webhook", &[("x-signature", &"0".repeat(64))], body.as_bytes()).await;
            is_not_signed(&answer);
            assert_eq!(api.signed(body.as_bytes(), &[]).await.status, 422);
        }
    }

    async fn any_content_type_and_whitespace_is_accepted(api: TestApi) {
        for (n, kind) in ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"].iter().enumerate() {
            let body = format!(" {:#}\n", with(json!({"message_id": n.to_string()})));
            api.signed(body.as_bytes(), &[("content-type", kind)]).await.is_taken();
        }
        api.signed(with(json!({"message_id": "none"})).to_string().as_bytes(), &[]).await.is_taken();
        assert_eq!(api.ids("").await.1, 5);
    }

    async fn a_body_is_at_most_one_mebibyte(api: TestApi) {
        api.signed(&of_size(MIB), &[]).await.is_taken();
        let large = of_size(MIB + 1);
        let answer = api.signed(&large, &[]).await;
        assert_eq!((answer.status, answer.json()["detail"].is_string()), (413, true), "{answer:?}");
        let unsigned = api.send("POST", "/webhook", &[], &large).await;
        assert_eq!(unsigned.status, 413, "too large, signed or not");
        assert_eq!(api.ids("").await.1, 1);
    }
}

/// In chunks of HTTP, so that nothing announces its length.
fn chunked(api: &TestApi, body: &[u8], piece: usize) -> Vec<u8> {
    let signature = signature(api.ingest_secret(), body);
    let headers = [("x-signature", signature.as_str()), ("transfer-encoding", "chunked")];
    let mut request = api.request("POST", "/webhook", &headers, b"");
    for piece in body.chunks(piece) {
        request.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        request.extend_from_slice(piece);
        request.extend_from_slice(b"\r\n");
    }
    [request, b"0\r\n\r\n".to_vec()].concat()
}

#[tokio::test]
async fn a_body_in_pieces_is_the_same_body() {
    let api = TestApi::start().await;
    api.raw(chunked(&api, with(json!({"text": "Grüße"})).to_string().as_bytes(), 1)).await.is_taken();
    api.raw(chunked(&api, &of_size(MIB), 10_000)).await.is_taken();
    assert_eq!(api.raw(chunked(&api, &of_size(MIB + 1), 10_000)).await.status, 413);
}

#[tokio::test]
async fn a_body_that_stops_half_way_is_408() {
    let api = TestApi::start().await;
    let headers = [("content-length", "100"), ("x-signature", &"0".repeat(64))];
    let answer = api.send("POST", "/webhook", &headers, b"{").await;
    assert_eq!((answer.status, answer.json()["detail"].is_string()), (408, true), "{answer:?}");
}

#[tokio::test]
async fn large_bodies_are_limited_and_small_ones_are_not() {
    let limits = Limits { large_messages: 1, stall: Duration::from_secs(20), ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    let large = of_size(64 * 1_024 + 1);
    let announced = large.len().to_string();
    let signature = signature(api.ingest_secret(), &large);
    let headers =
        [("content-length", announced.as_str()), ("expect", "100-continue"), ("x-signature", &signature)];
    let mut waiting = api.connect().await;
    waiting.write_all(&api.request("POST", "/webhook", &headers, b"")).await.expect("sent");
    // The word to go on says that the first is under way.
    waiting.readable().await.expect("an answer");
    let refused = api.signed(&large, &[]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{refused:?}");
    api.signed(&of_size(64 * 1_024), &[]).await.is_taken();
    waiting.write_all(&large).await.expect("sent");
    Answer::read(waiting).await.is_taken();
    api.signed(&large, &[]).await.is_taken();
}

#[tokio::test]
async fn a_large_chunked_body_takes_a_permit() {
    let limits = Limits { large_messages: 1, stall: Duration::from_secs(20), ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    let zeros = "0".repeat(64);
    let headers =
        [("x-signature", zeros.as_str()), ("transfer-encoding", "chunked"), ("expect", "100-continue")];
    let mut strangers = vec![];
    for _ in 0..3 {
        let mut stranger = api.connect().await;
        stranger.write_all(&api.request("POST", "/webhook", &headers, b"")).await.expect("sent");
        stranger.readable().await.expect("the word to go on");
        stranger.write_all(b"1\r\n{\r\n").await.expect("sent");
        strangers.push(stranger);
    }
    let large = of_size(64 * 1_024 + 1);
    api.signed(&large, &[]).await.is_taken();
    api.raw(chunked(&api, &large, 10_000)).await.is_taken();
}

#[tokio::test]
async fn one_address_cannot_take_all_permits_for_large_bodies() {
    let limits = Limits { large_messages_of_address: 1, stall: Duration::from_secs(20), ..Limits::default() };
    let api = TestApi::with_limits(&[], limits).await;
    let zeros = "0".repeat(64);
    let headers = [("x-signature", zeros.as_str()), ("content-length", "100000"), ("expect", "100-continue")];
    let mut stranger = api.connect().await;
    stranger.write_all(&api.request("POST", "/webhook", &headers, b"")).await.expect("sent");
    stranger.readable().await.expect("the word to go on");
    let large = of_size(64 * 1_024 + 1);
    assert_eq!(api.signed(&large, &[]).await.status, 503);
    assert_eq!(api.raw(chunked(&api, &large, 10_000)).await.status, 503);
    api.signed(&of_size(64 * 1_024), &[]).await.is_taken();
}

#[tokio::test]
async fn sending_messages_needs_no_key_but_reading_them_does() {
    let api = TestApi::with(&[("ADMIN_API_KEY", KEY), ("WEBHOOK_SECRET", "mysecretkey")]).await;
    api.taken(&with(json!({}))).await;
    for path in ["/messages", "/messages?limit=x", "/stats"] {
        let answer = api.get(path).await;
        assert_eq!((answer.status, answer.json()["detail"].is_string()), (401, true), "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(api.send("GET", "/messages", &[("x-api-key", KEY)], b"").await.json()["total"], 1);
    assert_eq!(api.send("GET", "/stats", &[("x-api-key", KEY)], b"").await.json()["total_messages"], 1);
}

#[tokio::test]
async fn wrong_signatures_are_rate_limited_and_right_ones_are_not() {
    let limits = Limits { stall: STALL, ..Limits::default() };
    let api = TestApi::with_limits(&[("ADMIN_API_KEY", KEY)], limits).await;
    let wrong = async || api.send("POST", "/webhook", &[("x-signature", &"0".repeat(64))], b"{}").await;
    let mut slowed = None;
    for _ in 0..5_000 {
        let answer = wrong().await;
        if answer.status != 401 {
            slowed = Some(answer);
            break;
        }
    }
    let slowed = slowed.expect("more than 50 a second were judged");
    assert_eq!((slowed.status, slowed.header("retry-after")), (429, Some("1")), "{slowed:?}");
    for n in 0..300 {
        api.taken_with(json!({"message_id": n.to_string()})).await;
    }
    api.context.clock.forward(Duration::from_secs(4));
    is_not_signed(&wrong().await);
}

#[tokio::test]
async fn a_wrong_signature_does_not_count_as_a_wrong_key() {
    let api = TestApi::with(&[("ADMIN_API_KEY", KEY)]).await;
    let headers = [("x-signature", "x"), ("authorization", "Bearer of-another-gateway")];
    for _ in 0..20 {
        is_not_signed(&api.send("POST", "/webhook", &headers, b"{}").await);
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_in_the_apis_error_format() {
    let api = TestApi::start().await;
    for (method, path, allowed) in
        [("GET", "/webhook", "POST"), ("POST", "/messages", "GET,HEAD"), ("DELETE", "/stats", "GET,HEAD")]
    {
        let answer = api.send(method, path, &[], b"").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{path}");
        assert!(answer.json()["detail"].is_string());
    }
}
