//! Ways of HTTP/2 to end a connection, written frame by frame: requests that the receiver has not processed are sent again at
//! once, everything else is a failure.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use domain::delivery::{ErrorClass, SendResult};
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use super::*;
use super::{receiver::Receiver, tls};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
/// The stream of the first request of a connection.
const FIRST: u32 = 1;

fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, 0], &stream.to_be_bytes(), payload].concat()
}

/// "I go; what I may have seen ends with `last`."
fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

fn reset(code: u32) -> Vec<u8> {
    frame(RST_STREAM, FIRST, &code.to_be_bytes())
}

/// Speaks HTTP/2 up to the head of the first request, and says `bytes` for an answer.
async fn says(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> std::io::Result<()> {
    stream.read_exact(&mut [0; b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()]).await?;
    stream.write_all(&frame(SETTINGS, 0, &[])).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let mut payload = vec![0; usize::from(head[2]) | usize::from(head[1]) << 8];
        stream.read_exact(&mut payload).await?;
        if head[3] == HEADERS {
            break;
        }
    }
    stream.write_all(bytes).await
}

/// The first connection gets these bytes for an answer; those after it are served well, if there are to be any.
async fn first_gets<S: Subject>(bytes: Vec<u8>, then_serves: bool) -> (Receiver, CertificateDer<'static>) {
    let (acceptor, root) = tls::acceptor(&["h2"]);
    let connections = Arc::new(AtomicUsize::new(0));
    let receiver = Receiver::each(move |stream| {
        let (acceptor, bytes, connections) = (acceptor.clone(), bytes.clone(), Arc::clone(&connections));
        async move {
            if then_serves && connections.fetch_add(1, Ordering::SeqCst) > 0 {
                tls::serve(acceptor, stream, S::success(SMALL)).await;
            } else if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = says(&mut stream, &bytes).await;
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
    });
    (receiver.await, root)
}

async fn report<S: Subject>(receiver: &Receiver, root: CertificateDer<'static>) -> SendReport {
    tls::trusting::<S>(root).send(&receiver.url_at("https", "localhost"), PATIENT).await
}

pub(crate) async fn what_was_not_seen_is_sent_again_at_once<S: Subject>() {
    let (receiver, root) = first_gets::<S>(goaway(0, NO_ERROR), true).await;
    let report = report::<S>(&receiver, root).await;
    assert_eq!((report.result, report.error_class), (SendResult::Accepted, None), "{report:?}");
    assert_eq!(receiver.connections(), 2);
}

pub(crate) async fn what_may_have_been_seen_is_a_reset_and_is_not_sent_again_by_itself<S: Subject>() {
    for sent in
        [goaway(0, INTERNAL_ERROR), goaway(FIRST, INTERNAL_ERROR), reset(INTERNAL_ERROR), reset(NO_ERROR)]
    {
        let (receiver, root) = first_gets::<S>(sent.clone(), true).await;
        let report = report::<S>(&receiver, root).await;
        assert_eq!(
            (report.result, report.error_class),
            (SendResult::Failed, Some(ErrorClass::Reset)),
            "{report:?}"
        );
        assert_eq!(receiver.connections(), 1, "{sent:?}");
    }
}

pub(crate) async fn a_receiver_that_always_goes_away_is_a_reset_in_the_end<S: Subject>() {
    let (receiver, root) = first_gets::<S>(goaway(0, NO_ERROR), false).await;
    let report = report::<S>(&receiver, root).await;
    assert_eq!(
        (report.result, report.error_class),
        (SendResult::Failed, Some(ErrorClass::Reset)),
        "{report:?}"
    );
    assert!((2..=4).contains(&receiver.connections()), "tried again a few times: {}", receiver.connections());
}

pub(crate) async fn what_is_not_http_2_is_a_protocol_failure<S: Subject>() {
    let too_long = [&[0xff, 0xff, 0xff, 0, 0][..], &[0; 64]].concat();
    for garbage in [frame(HEADERS, 0, &[]), frame(SETTINGS, 0, &[1]), too_long] {
        let (receiver, root) = first_gets::<S>(garbage.clone(), false).await;
        let report = report::<S>(&receiver, root).await;
        assert_eq!(
            (report.result, report.error_class),
            (SendResult::Failed, Some(ErrorClass::Protocol)),
            "{report:?}"
        );
    }
}

pub(crate) async fn heads_are_taken_up_to_their_bound<S: Subject>() {
    let with = async |bytes: usize| {
        let (receiver, root) = tls::secure_with_header::<S>(&["h2"], bytes).await;
        report::<S>(&receiver, root).await
    };
    assert_eq!(with(100 * 1_024).await.result, SendResult::Accepted);
    let report = with(200 * 1_024).await;
    assert_eq!(
        (report.result, report.error_class),
        (SendResult::Failed, Some(ErrorClass::Protocol)),
        "{report:?}"
    );
}
