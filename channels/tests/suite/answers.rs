//! The report of a response: its status, headers, and the beginning of its body.

use domain::delivery::{ErrorClass, RESPONSE_BODY_KEPT, RESPONSE_HEADERS_KEPT, SendResult};
use tokio::io::AsyncWriteExt as _;

use super::receiver::{Receiver, answer, read_request};
use super::*;

async fn answered<S: Subject>(status: &str, headers: &str, body: &[u8]) -> SendReport {
    send::<S>(Receiver::answering(answer(status, headers, body)).await.url()).await
}

pub(crate) async fn each_success_is_one<S: Subject>() {
    for status in S::SUCCESSES {
        let body = S::success(if status.starts_with("204") { 0 } else { SMALL });
        let report = answered::<S>(status, "", &body).await;
        assert_eq!((report.result, report.error_class, report.error), (SendResult::Accepted, None, None));
        assert_eq!(&report.response_body[..], body, "{status}");
        assert_eq!(report.status_code, status[..3].parse().ok());
    }
}

pub(crate) async fn each_status_has_the_channels_meaning<S: Subject>() {
    let wait = Some(Duration::from_secs(30));
    for status in [400, 401, 403, 404, 408, 410, 413, 418, 425, 429, 500, 501, 502, 503, 504, 507] {
        let expected = match S::meaning(status) {
            SendResult::Overloaded { .. } => SendResult::Overloaded { retry_after: wait },
            result => result,
        };
        let body = S::failure(status);
        let report = answered::<S>(&format!("{status} Why"), "retry-after: 30\r\n", &body).await;
        assert_eq!((report.result, report.status_code), (expected, Some(status)));
        assert_eq!((report.error_class, &report.response_body[..]), (Some(ErrorClass::Status), &body[..]));
        let words = report.error.expect("a failure has words");
        assert!(words.contains(&status.to_string()), "{words}");
    }
}

pub(crate) async fn a_redirect_is_a_failure_and_is_not_followed<S: Subject>() {
    let elsewhere = Receiver::answering(answer("200 OK", "", b"")).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let report = answered::<S>(status, &format!("location: {}\r\n", elsewhere.url()), b"").await;
        assert_eq!((report.result, report.error_class), (SendResult::Failed, Some(ErrorClass::Redirect)));
    }
    assert_eq!(elsewhere.connections(), 0);
}

pub(crate) async fn a_date_in_retry_after_is_relative_to_the_send<S: Subject>() {
    let report = answered::<S>("503 No", "retry-after: Tue, 14 Nov 2023 22:14:20 GMT\r\n", b"").await;
    let wait = Some(Duration::from_millis(60_000 - 123));
    assert_eq!(report.result, SendResult::Overloaded { retry_after: wait });
}

pub(crate) async fn a_date_in_retry_after_is_measured_from_the_answers_own_date<S: Subject>() {
    let headers = "date: Thu, 16 Nov 2023 00:00:00 GMT\r\nretry-after: Thu, 16 Nov 2023 00:02:00 GMT\r\n";
    let report = answered::<S>("429 Slow", headers, b"").await;
    let wait = Some(Duration::from_secs(120));
    assert_eq!(report.result, SendResult::Overloaded { retry_after: wait }, "not a day and two minutes");
}

pub(crate) async fn sixteen_kib_of_a_body_are_kept_and_its_connection_too<S: Subject>() {
    let receiver = Receiver::answering(answer("200 OK", "", &S::success(RESPONSE_BODY_KEPT))).await;
    let subject = S::over(outbound());
    for _ in 0..2 {
        let report = subject.send(&receiver.url(), PATIENT).await;
        assert_eq!(report.response_body.len(), RESPONSE_BODY_KEPT);
    }
    assert_eq!(receiver.connections(), 1, "read to its end");
}

pub(crate) async fn the_rest_of_a_huge_body_is_not_read_and_is_no_error<S: Subject>() {
    let endless = Receiver::each(|mut stream| async move {
        if read_request(&mut stream).await.is_some() {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                sent = stream.write_all(&[b'x'; 65_536]).await;
            }
        }
    });
    let report = send::<S>(endless.await.url()).await;
    assert_eq!(report.result, S::CUT_OFF, "{report:?}");
    assert_eq!(report.response_body.len(), RESPONSE_BODY_KEPT);
    let one_more = answered::<S>("200 OK", "", &S::success(RESPONSE_BODY_KEPT + 1)).await;
    assert_eq!(one_more.result, S::CUT_OFF, "{one_more:?}");
    assert_eq!(one_more.response_body.len(), RESPONSE_BODY_KEPT);
}

pub(crate) async fn a_chunked_body_is_put_together<S: Subject>() {
    let body = S::success(SMALL);
    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(SMALL / 2).chain([&[][..]]) {
        chunked.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
    }
    let report = send::<S>(Receiver::answering(chunked).await.url()).await;
    assert_eq!((report.result, &report.response_body[..]), (SendResult::Accepted, &body[..]));
}

pub(crate) async fn a_2xx_whose_body_stalls_or_breaks_off_counts_with_what_arrived<S: Subject>() {
    let stalls = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello").await;
    let report = send_within::<S>(stalls.url(), SHORT).await;
    assert_eq!((report.result, &report.response_body[..]), (S::CUT_OFF, &b"hello"[..]));
    assert!(report.timing.total >= SHORT);

    let breaks_off = Receiver::each(|mut stream| async move {
        read_request(&mut stream).await;
        let sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello").await;
        sent.expect("the head is sent");
    });
    let report = send::<S>(breaks_off.await.url()).await;
    assert_eq!((report.result, &report.response_body[..]), (S::CUT_OFF, &b"hello"[..]));
}

pub(crate) async fn a_failure_whose_body_stalls_is_that_failure<S: Subject>() {
    let stalls = Receiver::answering("HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nhello").await;
    let report = send_within::<S>(stalls.url(), SHORT).await;
    assert_eq!((report.status_code, report.error_class), (Some(500), Some(ErrorClass::Status)));
}

pub(crate) async fn eight_kib_of_headers_are_kept<S: Subject>() {
    let many: String = (0..90).map(|i| format!("x-{i:02}: {}\r\n", "v".repeat(1_000))).collect();
    let report = answered::<S>("200 OK", &many, &S::success(SMALL)).await;
    assert_eq!(report.result, SendResult::Accepted);
    let kept = report.response_headers.expect("answered");
    assert!(kept.as_json().contains("x-00") && !kept.as_json().contains("x-20"));
    let json: std::collections::BTreeMap<String, String> =
        serde_json::from_str(kept.as_json()).expect("JSON of strings");
    let bytes: usize = json.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(bytes <= RESPONSE_HEADERS_KEPT, "{bytes}");
}

pub(crate) async fn more_headers_than_http_clients_take_are_a_protocol_failure<S: Subject>() {
    let many: String = (0..500).map(|i| format!("x-{i}: v\r\n")).collect();
    let report = answered::<S>("200 OK", &many, b"").await;
    assert_eq!(report.error_class, Some(ErrorClass::Protocol), "{report:?}");
}

pub(crate) async fn a_compressed_body_is_kept_as_it_came<S: Subject>() {
    let gzip = b"\x1f\x8b\x08\x00not really";
    let report = answered::<S>("200 OK", "content-encoding: gzip\r\n", gzip).await;
    assert_eq!(&report.response_body[..], gzip);
    assert!(report.response_headers.expect("answered").as_json().contains(r#""content-encoding":"gzip""#));
}
