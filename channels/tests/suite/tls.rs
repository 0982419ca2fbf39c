//! HTTPS: trusted and untrusted certificates, and HTTP/2 by ALPN.

use std::sync::Arc;

use domain::delivery::{ErrorClass, SendResult};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use super::receiver::Receiver;
use super::*;

/// Accepts with a certificate of its own for `localhost`.
pub(crate) fn acceptor(protocols: &[&str]) -> (TlsAcceptor, CertificateDer<'static>) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = own.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .expect("a key that fits");
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

/// A receiver that answers with the version of HTTP it was spoken to in.
async fn secure<S: Subject>(protocols: &[&str]) -> (Receiver, CertificateDer<'static>) {
    let (acceptor, certificate) = acceptor(protocols);
    (Receiver::each(move |stream| serve(acceptor.clone(), stream, S::success(SMALL))).await, certificate)
}

/// A receiver whose answers have a header of about so many bytes.
pub(crate) async fn secure_with_header<S: Subject>(
    protocols: &[&str],
    bytes: usize,
) -> (Receiver, CertificateDer<'static>) {
    let (acceptor, certificate) = acceptor(protocols);
    let serve = move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request: Request<Incoming>| async move {
                request.into_body().collect().await?;
                let answer = Response::builder().header("x-long", "v".repeat(bytes));
                Ok::<_, hyper::Error>(answer.body(Full::<Bytes>::from(S::success(SMALL))).expect("an answer"))
            });
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        }
    };
    (Receiver::each(serve).await, certificate)
}

/// Answers each request of a connection with this body, and with the version of HTTP in a header.
pub(crate) async fn serve(acceptor: TlsAcceptor, stream: TcpStream, body: Vec<u8>) {
    if let Ok(stream) = acceptor.accept(stream).await {
        let server = auto::Builder::new(TokioExecutor::new());
        let service = service_fn(|request| tell_version(request, body.clone()));
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }
}

async fn tell_version(
    request: Request<Incoming>,
    body: Vec<u8>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let version = format!("{:?}", request.version());
    request.into_body().collect().await?;
    Ok(Response::builder().header("x-version", version).body(Full::from(body)).expect("an answer"))
}

/// Whether an answer came by this version of HTTP.
#[track_caller]
fn assert_version(report: &SendReport, version: &str) {
    assert_eq!(report.result, SendResult::Accepted, "{report:?}");
    let headers = report.response_headers.as_ref().expect("answered").as_json();
    assert!(headers.contains(version), "{headers}");
}

pub(crate) fn trusting<S: Subject>(root: CertificateDer<'static>) -> S {
    let options = SenderOptions { extra_roots: vec![root], ..SenderOptions::default() };
    S::over(Outbound::new(loopback(), &options).expect("a client"))
}

pub(crate) async fn http_2_is_spoken_where_it_is_offered_over_one_connection<S: Subject>() {
    let (receiver, root) = secure::<S>(&["h2", "http/1.1"]).await;
    let (subject, url) = (trusting::<S>(root), receiver.url_at("https", "localhost"));
    let first = subject.send(&url, PATIENT).await;
    assert_version(&first, "HTTP/2");
    assert!(first.timing.connect.is_some());
    let sends = (0..20).map(|_| subject.send(&url, PATIENT));
    for report in futures_util::future::join_all(sends).await {
        assert_eq!((report.result, report.timing.connect), (SendResult::Accepted, None));
    }
    assert_eq!(receiver.connections(), 1);
}

pub(crate) async fn http_1_is_spoken_where_that_is_all_there_is<S: Subject>() {
    for protocols in [&["http/1.1"][..], &[]] {
        let (receiver, root) = secure::<S>(protocols).await;
        let url = receiver.url_at("https", "localhost");
        assert_version(&trusting::<S>(root).send(&url, PATIENT).await, "HTTP/1.1");
    }
}

pub(crate) async fn a_certificate_that_nobody_vouches_for_is_a_tls_failure<S: Subject>() {
    let (receiver, _) = secure::<S>(&["h2"]).await;
    let report = send::<S>(receiver.url_at("https", "localhost")).await;
    assert_eq!(
        (report.result, report.error_class),
        (SendResult::Failed, Some(ErrorClass::Tls)),
        "{report:?}"
    );
    assert_eq!(report.timing.connect, None);
}

pub(crate) async fn a_certificate_for_another_name_is_a_tls_failure<S: Subject>() {
    let (receiver, root) = secure::<S>(&["h2"]).await;
    let report = trusting::<S>(root).send(&receiver.url_at("https", "127.0.0.1"), PATIENT).await;
    assert_eq!(report.error_class, Some(ErrorClass::Tls), "{report:?}");
}

pub(crate) async fn tls_to_a_plain_port_is_a_tls_failure<S: Subject>() {
    let talks = Receiver::each(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    });
    let hangs_up = Receiver::each(|mut stream| async move {
        let mut hello = [0; 16];
        let _ = stream.read(&mut hello).await;
        let _ = stream.shutdown().await;
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    });
    for receiver in [talks.await, hangs_up.await] {
        let report = send::<S>(receiver.url_at("https", "localhost")).await;
        assert_eq!(report.error_class, Some(ErrorClass::Tls), "{report:?}");
    }
}

pub(crate) async fn a_handshake_that_never_comes_meets_the_connect_deadline<S: Subject>() {
    let silent = Receiver::each(|mut stream| async move {
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    });
    let options = SenderOptions { connect_timeout: SHORT, ..SenderOptions::default() };
    let subject = S::over(Outbound::new(loopback(), &options).expect("a client"));
    let report = subject.send(&silent.await.url_at("https", "127.0.0.1"), PATIENT).await;
    assert_eq!(report.error_class, Some(ErrorClass::ConnectTimeout), "{report:?}");
}
