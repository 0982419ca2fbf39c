//! Receivers that close connections: between requests, which must have no effect, and during a request, which is a failure or
//! a response, depending on what had arrived.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use domain::delivery::{ErrorClass, SendResult};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::mpsc::unbounded_channel};

use super::receiver::{Receiver, answer, read_request};
use super::*;

/// How a receiver ends a connection.
#[derive(Clone, Copy, Debug)]
enum End {
    Close,
    Reset,
}

fn end(stream: TcpStream, how: End) {
    if matches!(how, End::Reset) {
        stream.set_zero_linger().expect("set");
    }
    drop(stream);
}

pub(crate) async fn a_kept_connection_that_was_closed_meanwhile_costs_no_attempt<S: Subject>() {
    let (ended, mut endings) = unbounded_channel();
    let receiver = Receiver::each(move |mut stream| {
        let ended = ended.clone();
        async move {
            read_request(&mut stream).await;
            stream.write_all(&ok::<S>()).await.expect("answered");
            end(stream, End::Close);
            let _ = ended.send(());
        }
    })
    .await;
    let (subject, url) = (S::over(outbound()), receiver.url());
    for round in 1..=200 {
        let report = subject.send(&url, PATIENT).await;
        assert_eq!((report.result, report.error_class), (SendResult::Accepted, None), "{round}: {report:?}");
        // The close is on its way before the next send begins; whether the client has seen it is left to chance.
        endings.recv().await.expect("closed");
    }
    assert_eq!(receiver.connections(), 200);
}

pub(crate) async fn a_request_that_was_written_is_not_sent_again_by_itself<S: Subject>() {
    for how in [End::Close, End::Reset] {
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        // The first request of a connection is answered; the second is read, and the connection ended.
        let receiver = Receiver::each(move |mut stream| {
            let count = Arc::clone(&count);
            async move {
                read_request(&mut stream).await;
                stream.write_all(&ok::<S>()).await.expect("answered");
                if read_request(&mut stream).await.is_some() {
                    count.fetch_add(1, Ordering::SeqCst);
                    end(stream, how);
                }
            }
        })
        .await;
        let (subject, url) = (S::over(outbound()), receiver.url());
        assert_eq!(subject.send(&url, PATIENT).await.result, SendResult::Accepted);
        let report = subject.send(&url, PATIENT).await;
        assert_eq!(
            (report.result, report.error_class),
            (SendResult::Failed, Some(ErrorClass::Reset)),
            "{how:?}"
        );
        assert_eq!((requests.load(Ordering::SeqCst), receiver.connections()), (1, 1), "{how:?}: seen once");
    }
}

pub(crate) async fn an_answer_that_says_close_is_the_last_of_its_connection<S: Subject>() {
    let receiver = Receiver::answering(answer("200 OK", "connection: close\r\n", &S::success(SMALL))).await;
    let (subject, url) = (S::over(outbound()), receiver.url());
    for _ in 0..3 {
        assert_eq!(subject.send(&url, PATIENT).await.result, SendResult::Accepted);
    }
    assert_eq!(receiver.connections(), 3);
}

/// Ends the connection after these bytes of an answer, once the sender has had the time to take them.
async fn breaks_after<S: Subject>(bytes: &'static [u8], how: End) -> SendReport {
    let receiver = Receiver::each(move |mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(bytes).await.expect("sent");
        end(stream, how);
    });
    send::<S>(receiver.await.url()).await
}

pub(crate) async fn a_connection_that_breaks_in_the_body_leaves_the_status_to_count<S: Subject>() {
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello";
    let report = breaks_after::<S>(ok, End::Close).await;
    assert_eq!((report.result, &report.response_body[..]), (S::CUT_OFF, &b"hello"[..]));
    let chunked = b"HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let report = breaks_after::<S>(chunked, End::Close).await;
    assert_eq!((report.result, report.status_code), (S::meaning(500), Some(500)));
    assert_eq!((report.error_class, &report.response_body[..]), (Some(ErrorClass::Status), &b"hello"[..]));
    let garbled = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n";
    let report = breaks_after::<S>(garbled, End::Close).await;
    assert_eq!((report.result, report.response_body.len()), (S::CUT_OFF, 0));
}

pub(crate) async fn a_connection_that_breaks_in_the_head_is_a_reset<S: Subject>() {
    for head in [&b""[..], b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n"] {
        for how in [End::Close, End::Reset] {
            let report = breaks_after::<S>(head, how).await;
            assert_eq!(
                (report.result, report.error_class),
                (SendResult::Failed, Some(ErrorClass::Reset)),
                "{report:?}"
            );
        }
    }
}
