//! What is made of an answer: its status, its head, and the beginning of its body.

use domain::delivery::{ErrorClass, RESPONSE_BODY_KEPT, RESPONSE_HEADERS_KEPT, SendResult};
use tokio::io::AsyncWriteExt as _;

use super::*;
use crate::receiver::{Receiver, answer, read_request};

async fn answered(status: &str, headers: &str, body: &[u8]) -> SendReport {
    send(Receiver::answering(answer(status, headers, body)).await.url()).await
}

#[tokio::test]
async fn any_2xx_is_success() {
    for status in ["200 OK", "201 Created", "202 Accepted", "299 Whatever"] {
        let report = answered(status, "", b"fine").await;
        assert_eq!((report.result, report.error_class, report.error), (SendResult::Accepted, None, None));
        assert_eq!(&report.response_body[..], b"fine");
    }
    let report = answered("204 No Content", "", b"").await;
    assert_eq!((report.result, report.status_code), (SendResult::Accepted, Some(204)));
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let elsewhere = Receiver::answering(answer("200 OK", "", b"")).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let report = answered(status, &format!("location: {}\r\n", elsewhere.url()), b"").await;
        assert_eq!((report.result, report.error_class), (SendResult::Failed, Some(ErrorClass::Redirect)));
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn gone_overloaded_and_failed_are_told_apart() {
    let gone = answered("410 Gone", "", b"").await;
    assert_eq!((gone.result, gone.error_class), (SendResult::Gone, Some(ErrorClass::Status)));
    for status in ["429 Slow", "502 Bad Gateway", "503 No", "504 Late"] {
        let report = answered(status, "retry-after: 30\r\n", b"").await;
        let wait = Some(Duration::from_secs(30));
        assert_eq!(report.result, SendResult::Overloaded { retry_after: wait }, "{status}");
    }
    let report = answered("500 Oops", "retry-after: 30\r\n", b"why").await;
    assert_eq!((report.result, report.status_code), (SendResult::Failed, Some(500)));
    assert_eq!(report.error.as_deref(), Some("answered 500 Internal Server Error"));
    assert_eq!(&report.response_body[..], b"why");
}

#[tokio::test]
async fn a_date_in_retry_after_is_relative_to_the_send() {
    let report = answered("503 No", "retry-after: Tue, 14 Nov 2023 22:14:20 GMT\r\n", b"").await;
    let wait = Some(Duration::from_millis(60_000 - 123));
    assert_eq!(report.result, SendResult::Overloaded { retry_after: wait });
}

#[tokio::test]
async fn a_date_in_retry_after_is_measured_from_the_answers_own_date() {
    let headers = "date: Thu, 16 Nov 2023 00:00:00 GMT\r\nretry-after: Thu, 16 Nov 2023 00:02:00 GMT\r\n";
    let report = answered("429 Slow", headers, b"").await;
    let wait = Some(Duration::from_secs(120));
    assert_eq!(report.result, SendResult::Overloaded { retry_after: wait }, "not a day and two minutes");
}

#[tokio::test]
async fn sixteen_kib_of_a_body_are_kept_and_its_connection_too() {
    let receiver = Receiver::answering(answer("200 OK", "", &[b'x'; RESPONSE_BODY_KEPT])).await;
    let (sender, target) = (sender(), target(receiver.url()));
    for _ in 0..2 {
        let report = sender.send(request(&target, PATIENT)).await;
        assert_eq!(report.response_body.len(), RESPONSE_BODY_KEPT);
    }
    assert_eq!(receiver.connections(), 1, "read to its end");
}

#[tokio::test]
async fn the_rest_of_a_huge_body_is_not_read_and_is_no_error() {
    let endless = Receiver::each(|mut stream| async move {
        if read_request(&mut stream).await.is_some() {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                sent = stream.write_all(&[b'x'; 65_536]).await;
            }
        }
    });
    let report = send(endless.await.url()).await;
    assert_eq!((report.result, report.error_class), (SendResult::Accepted, None));
    assert_eq!(report.response_body.len(), RESPONSE_BODY_KEPT);
    let one_more = answered("200 OK", "", &[b'x'; RESPONSE_BODY_KEPT + 1]).await;
    assert_eq!(one_more.response_body.len(), RESPONSE_BODY_KEPT);
}

#[tokio::test]
async fn a_chunked_body_is_put_together() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
    let report = send(Receiver::answering(chunked).await.url()).await;
    assert_eq!(&report.response_body[..], b"abcdefg");
}

#[tokio::test]
async fn a_2xx_whose_body_stalls_or_breaks_off_counts_with_what_arrived() {
    let stalls = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello").await;
    let report = send_within(stalls.url(), SHORT).await;
    assert_eq!((report.result, &report.response_body[..]), (SendResult::Accepted, &b"hello"[..]));
    assert!(report.timing.total >= SHORT);

    let breaks_off = Receiver::each(|mut stream| async move {
        read_request(&mut stream).await;
        let sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello").await;
        sent.expect("the head is sent");
    });
    let report = send(breaks_off.await.url()).await;
    assert_eq!((report.result, &report.response_body[..]), (SendResult::Accepted, &b"hello"[..]));
}

#[tokio::test]
async fn a_failure_whose_body_stalls_is_that_failure() {
    let stalls = Receiver::answering("HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nhello").await;
    let report = send_within(stalls.url(), SHORT).await;
    assert_eq!((report.status_code, report.error_class), (Some(500), Some(ErrorClass::Status)));
}

#[tokio::test]
async fn eight_kib_of_headers_are_kept() {
    let many: String = (0..90).map(|i| format!("x-{i:02}: {}\r\n", "v".repeat(1_000))).collect();
    let report = answered("200 OK", &many, b"").await;
    assert_eq!(report.result, SendResult::Accepted);
    let kept = report.response_headers.expect("answered");
    assert!(kept.as_json().contains("x-00") && !kept.as_json().contains("x-20"));
    let json: std::collections::BTreeMap<String, String> =
        serde_json::from_str(kept.as_json()).expect("JSON of strings");
    let bytes: usize = json.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(bytes <= RESPONSE_HEADERS_KEPT, "{bytes}");
}

#[tokio::test]
async fn more_headers_than_http_clients_take_are_a_protocol_failure() {
    let many: String = (0..500).map(|i| format!("x-{i}: v\r\n")).collect();
    let report = answered("200 OK", &many, b"").await;
    assert_eq!(report.error_class, Some(ErrorClass::Protocol), "{report:?}");
}

#[tokio::test]
async fn a_compressed_body_is_kept_as_it_came() {
    let gzip = b"\x1f\x8b\x08\x00not really";
    let report = answered("200 OK", "content-encoding: gzip\r\n", gzip).await;
    assert_eq!(&report.response_body[..], gzip);
    assert!(report.response_headers.expect("answered").as_json().contains(r#""content-encoding":"gzip""#));
}
