//! Every way in which no response arrives, each produced by a socket.

use channels::HeaderRecord;
use domain::delivery::{ErrorClass, SendResult};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};

use super::receiver::{Receiver, answer, read_request};
use super::*;

/// No answer came, and the failure has this class.
#[track_caller]
fn assert_failed(report: &SendReport, class: ErrorClass) {
    assert_eq!((report.result, report.error_class), (SendResult::Failed, Some(class)), "{report:?}");
    assert_eq!((report.status_code, &report.response_headers), (None, &None::<HeaderRecord>));
    let error = report.error.as_deref().expect("a failure has words");
    assert!(!error.is_empty() && error.len() <= 200, "{error}");
    assert!(!error.contains("/hook"), "no URL in {error}");
}

pub(crate) async fn a_closed_port_refuses<S: Subject>() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("bound")).parse().expect("a URL");
    drop(listener);
    let report = send::<S>(url).await;
    assert_failed(&report, ErrorClass::Refused);
    assert_eq!((report.timing.connect, report.timing.first_byte), (None, None));
}

pub(crate) async fn a_connection_that_is_reset_or_closed_is_a_reset<S: Subject>() {
    let resets = Receiver::each(|mut stream| async move {
        read_request(&mut stream).await;
        stream.set_zero_linger().expect("set");
    });
    assert_failed(&send::<S>(resets.await.url()).await, ErrorClass::Reset);
    let resets_at_once = Receiver::each(|stream| async move { stream.set_zero_linger().expect("set") });
    assert_failed(&send::<S>(resets_at_once.await.url()).await, ErrorClass::Reset);
    let hangs_up = Receiver::each(|mut stream| async move {
        read_request(&mut stream).await;
    });
    assert_failed(&send::<S>(hangs_up.await.url()).await, ErrorClass::Reset);
    let half_a_head = Receiver::each(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await.expect("sent");
    });
    assert_failed(&send::<S>(half_a_head.await.url()).await, ErrorClass::Reset);
}

pub(crate) async fn what_is_not_http_is_a_protocol_failure<S: Subject>() {
    for garbage in
        ["SSH-2.0-OpenSSH_9.9\r\n", "hello\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"]
    {
        assert_failed(&send::<S>(Receiver::answering(garbage).await.url()).await, ErrorClass::Protocol);
    }
    let bad_header = answer("200 OK", "bad header\0\r\n", b"");
    assert_failed(&send::<S>(Receiver::answering(bad_header).await.url()).await, ErrorClass::Protocol);
}

pub(crate) async fn a_receiver_that_never_answers_meets_the_deadline<S: Subject>() {
    let silent = Receiver::each(|mut stream| async move {
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    });
    let report = send_within::<S>(silent.await.url(), SHORT).await;
    assert_failed(&report, ErrorClass::Timeout);
    assert!(report.timing.total >= SHORT && report.timing.total < PATIENT);
    assert!(report.timing.connect.is_some());
}

pub(crate) async fn a_head_that_trickles_meets_the_deadline_too<S: Subject>() {
    let trickles = Receiver::each(|mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx-").await;
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    });
    assert_failed(&send_within::<S>(trickles.await.url(), SHORT).await, ErrorClass::Timeout);
}

/// A listener whose backlog is full: further connections are neither accepted nor refused.
async fn full_listener() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = socket.listen(1).expect("listening");
    let address = listener.local_addr().expect("bound");
    let mut waiting = Vec::new();
    while let Ok(stream) = timeout(SHORT, TcpStream::connect(address)).await {
        waiting.push(stream.expect("queued"));
    }
    (listener, waiting)
}

pub(crate) async fn a_listener_that_never_accepts_meets_the_connect_deadline<S: Subject>() {
    let (listener, _waiting) = full_listener().await;
    let url: Url = format!("http://{}/hook", listener.local_addr().expect("bound")).parse().expect("a URL");
    let options = SenderOptions { connect_timeout: SHORT, ..SenderOptions::default() };
    let subject = S::over(Outbound::new(loopback(), &options).expect("a client"));
    let report = subject.send(&url, PATIENT).await;
    assert_failed(&report, ErrorClass::ConnectTimeout);
    assert!(report.timing.total < PATIENT / 2);
    // The attempt's own deadline comes first: that is what it is called.
    let report = send_within::<S>(url, SHORT).await;
    assert_failed(&report, ErrorClass::Timeout);
}

pub(crate) async fn a_private_address_is_refused_before_anything_is_sent<S: Subject>() {
    let receiver = Receiver::answering(ok::<S>()).await;
    let strict = Outbound::new(Guard::new(Vec::new()), &SenderOptions::default());
    let subject = S::over(strict.expect("a client"));
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]", "0"] {
        let report = subject.send(&receiver.url_at("http", host), PATIENT).await;
        assert_failed(&report, ErrorClass::Guard);
        assert!(!report.error.unwrap_or_default().contains("127.0.0.1"), "the address stays a secret");
    }
    assert_eq!(receiver.connections(), 0);
}

pub(crate) async fn a_name_that_does_not_exist_is_a_dns_failure<S: Subject>() {
    let report = send::<S>("http://nowhere.invalid/hook".parse().expect("a URL")).await;
    assert_failed(&report, ErrorClass::Dns);
}

pub(crate) async fn many_sends_at_once_each_have_their_own_report<S: Subject>() {
    let receiver = Receiver::answering(ok::<S>()).await;
    let (subject, url) = (S::over(outbound()), receiver.url_at("http", "localhost"));
    let sends = (0..100).map(|_| subject.send(&url, PATIENT));
    let reports = futures_util::future::join_all(sends).await;
    assert!(reports.iter().all(|report| report.result == SendResult::Accepted));
    assert_eq!(receiver.received().len(), 100);
    let connected = reports.iter().filter(|report| report.timing.connect.is_some()).count();
    assert!((1..=receiver.connections()).contains(&connected), "{connected} of {}", receiver.connections());
}
