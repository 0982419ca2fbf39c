//! Slow receivers, and receivers that send without end: the deadline and the bounds hold.

use domain::delivery::{ErrorClass, RESPONSE_BODY_KEPT, SendResult};
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, interval},
};

use super::receiver::{Receiver, read_request};
use super::*;

/// Sends `head` once, then `piece` again and again, as fast as it is taken or one a tick, until the sender hangs up.
async fn endless(head: &'static [u8], piece: Vec<u8>, tick: Option<Duration>) -> Receiver {
    Receiver::each(move |mut stream| {
        let piece = piece.clone();
        async move {
            read_request(&mut stream).await;
            let mut ticks = tick.map(interval);
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                if let Some(ticks) = &mut ticks {
                    ticks.tick().await;
                }
                sent = stream.write_all(&piece).await;
            }
        }
    })
    .await
}

async fn class_of<S: Subject>(receiver: Receiver, deadline: Duration) -> Option<ErrorClass> {
    let start = Instant::now();
    let report = send_within::<S>(receiver.url(), deadline).await;
    assert_eq!((report.result, report.status_code), (SendResult::Failed, None), "{report:?}");
    assert!(start.elapsed() < deadline + PATIENT / 2, "{:?}", start.elapsed());
    report.error_class
}

pub(crate) async fn a_head_that_comes_byte_by_byte_meets_the_deadline<S: Subject>() {
    let tick = Some(Duration::from_millis(10));
    let slow = endless(b"HTTP/1.1 200 OK\r\nx-slow: ", b"a".to_vec(), tick).await;
    assert_eq!(class_of::<S>(slow, SHORT).await, Some(ErrorClass::Timeout));
}

pub(crate) async fn a_status_line_that_comes_byte_by_byte_meets_the_deadline<S: Subject>() {
    let tick = Some(Duration::from_millis(10));
    let slow = endless(b"HTTP/1.1 200 ", b"O".to_vec(), tick).await;
    assert_eq!(class_of::<S>(slow, SHORT).await, Some(ErrorClass::Timeout));
}

pub(crate) async fn a_flood_of_interim_answers_meets_the_deadline_and_stops_nobody_else<S: Subject>() {
    for interim in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"] {
        let flood = endless(b"", interim.repeat(100).into(), None).await;
        let other = Receiver::answering(ok::<S>()).await;
        // On the test's one thread: a flood that is read without a pause would starve the other send.
        let (flooded, other) = tokio::join!(class_of::<S>(flood, SHORT), send::<S>(other.url()));
        assert_eq!(flooded, Some(ErrorClass::Timeout));
        assert_eq!(other.result, SendResult::Accepted);
        assert!(other.timing.total < SHORT * 5, "{:?}", other.timing);
    }
}

pub(crate) async fn an_answer_after_interim_ones_counts<S: Subject>() {
    let early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    let receiver = Receiver::answering([&early[..], &ok::<S>()].concat()).await;
    let report = send::<S>(receiver.url()).await;
    assert_eq!((report.result, report.status_code), (SendResult::Accepted, Some(200)));
}

pub(crate) async fn switching_protocols_is_no_success<S: Subject>() {
    let receiver =
        Receiver::answering("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    let report = send::<S>(receiver.await.url()).await;
    assert_eq!((report.result, report.status_code), (SendResult::Failed, Some(101)), "{report:?}");
    assert_eq!(report.error_class, Some(ErrorClass::Status));
}

pub(crate) async fn a_head_without_end_is_a_protocol_failure_long_before_the_deadline<S: Subject>() {
    let one_header = endless(b"HTTP/1.1 200 OK\r\nx-long: ", vec![b'a'; 65_536], None).await;
    assert_eq!(class_of::<S>(one_header, PATIENT).await, Some(ErrorClass::Protocol));
    let many = endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n".repeat(1_000), None).await;
    assert_eq!(class_of::<S>(many, PATIENT).await, Some(ErrorClass::Protocol));
}

pub(crate) async fn a_body_that_comes_byte_by_byte_ends_with_the_deadline_and_its_status_counts<
    S: Subject,
>() {
    let head = b"HTTP/1.1 503 No\r\nretry-after: 9\r\ncontent-length: 1000000\r\n\r\n";
    let slow = endless(head, b"x".to_vec(), Some(Duration::from_millis(10))).await;
    let report = send_within::<S>(slow.url(), SHORT).await;
    let wait = Some(Duration::from_secs(9));
    assert_eq!(report.result, SendResult::Overloaded { retry_after: wait });
    assert!((1..RESPONSE_BODY_KEPT).contains(&report.response_body.len()));
    assert!(report.timing.total >= SHORT && report.timing.total < PATIENT / 2);
}
