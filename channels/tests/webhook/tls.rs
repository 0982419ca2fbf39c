//! HTTPS: what is trusted, what is not, and HTTP/2 where it is offered.

use std::sync::Arc;

use domain::delivery::{ErrorClass, SendResult};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, Version, body::Incoming, service::service_fn};
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

use super::*;
use crate::receiver::Receiver;

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
async fn secure(protocols: &[&str]) -> (Receiver, CertificateDer<'static>) {
    let (acceptor, certificate) = acceptor(protocols);
    (Receiver::each(move |stream| serve(acceptor.clone(), stream)).await, certificate)
}

/// A receiver whose answers have a header of about so many bytes.
pub(crate) async fn secure_with_header(
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
                Ok::<_, hyper::Error>(answer.body(Full::<Bytes>::default()).expect("an answer"))
            });
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        }
    };
    (Receiver::each(serve).await, certificate)
}

pub(crate) async fn serve(acceptor: TlsAcceptor, stream: TcpStream) {
    if let Ok(stream) = acceptor.accept(stream).await {
        let server = auto::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(TokioIo::new(stream), service_fn(tell_version)).await;
    }
}

async fn tell_version(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let version = request.version();
    request.into_body().collect().await?;
    let text = if version == Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" };
    Ok(Response::new(Full::new(Bytes::from_static(text.as_bytes()))))
}

pub(crate) fn trusting(root: CertificateDer<'static>) -> WebhookSender {
    let options = SenderOptions { extra_roots: vec![root], ..SenderOptions::default() };
    WebhookSender::new(loopback(), &options).expect("a client")
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered_over_one_connection() {
    let (receiver, root) = secure(&["h2", "http/1.1"]).await;
    let (sender, target) = (trusting(root), target(receiver.url_at("https", "localhost")));
    let first = sender.send(request(&target, PATIENT)).await;
    assert_eq!(&first.response_body[..], b"HTTP/2", "{first:?}");
    assert!(first.timing.connect.is_some());
    let sends = (0..20).map(|_| sender.send(request(&target, PATIENT)));
    for report in futures_util::future::join_all(sends).await {
        assert_eq!((report.result, report.timing.connect), (SendResult::Accepted, None));
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn http_1_is_spoken_where_that_is_all_there_is() {
    for protocols in [&["http/1.1"][..], &[]] {
        let (receiver, root) = secure(protocols).await;
        let report =
            trusting(root).send(request(&target(receiver.url_at("https", "localhost")), PATIENT)).await;
        assert_eq!(&report.response_body[..], b"HTTP/1.1", "{report:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_a_tls_failure() {
    let (receiver, _) = secure(&["h2"]).await;
    let report = send(receiver.url_at("https", "localhost")).await;
    assert_eq!(
        (report.result, report.error_class),
        (SendResult::Failed, Some(ErrorClass::Tls)),
        "{report:?}"
    );
    assert_eq!(report.timing.connect, None);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_a_tls_failure() {
    let (receiver, root) = secure(&["h2"]).await;
    let report = trusting(root).send(request(&target(receiver.url_at("https", "127.0.0.1")), PATIENT)).await;
    assert_eq!(report.error_class, Some(ErrorClass::Tls), "{report:?}");
}

#[tokio::test]
async fn tls_to_a_plain_port_is_a_tls_failure() {
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
        let report = send(receiver.url_at("https", "localhost")).await;
        assert_eq!(report.error_class, Some(ErrorClass::Tls), "{report:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_comes_meets_the_connect_deadline() {
    let silent = Receiver::each(|mut stream| async move {
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    });
    let options = SenderOptions { connect_timeout: SHORT, ..SenderOptions::default() };
    let sender = WebhookSender::new(loopback(), &options).expect("a client");
    let report = sender.send(request(&target(silent.await.url_at("https", "127.0.0.1")), PATIENT)).await;
    assert_eq!(report.error_class, Some(ErrorClass::ConnectTimeout), "{report:?}");
}
