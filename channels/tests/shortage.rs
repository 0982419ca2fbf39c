//! A process without free file descriptors can't send, and reports a local shortage instead of blaming the receiver. A
//! separate test program, because the shortage affects the whole process.

use std::{fs::File, time::Duration};

use bytes::Bytes;
use channels::{Guard, SendReport, SenderOptions, WebhookRequest, WebhookSender, WebhookTarget};
use domain::{
    clock::Millis,
    delivery::{ErrorClass, SendResult, Verdict},
    endpoint::CustomHeaders,
    id::EventId,
    signature::SigningSecret,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use url::Url;

/// Enough to run, and few enough to use up.
const DESCRIPTORS: u64 = 128;

fn sender() -> WebhookSender {
    let loopback = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().expect("a network"));
    WebhookSender::new(Guard::new(loopback.to_vec()), &SenderOptions::default()).expect("a client")
}

async fn send(sender: &WebhookSender, url: &Url) -> SendReport {
    let target = WebhookTarget::new(url.clone(), &CustomHeaders::default(), SigningSecret::generate().into());
    let body = Bytes::from_static(b"{}");
    let deadline = Duration::from_secs(10);
    let request =
        WebhookRequest { event_id: EventId::new(), target: &target, body, deadline, sent_at: Millis(1) };
    sender.send(request).await
}

fn use_up_descriptors() -> Vec<File> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS, hard).expect("lowered");
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[tokio::test]
async fn a_send_without_a_descriptor_is_a_local_shortage_and_says_nothing_of_the_receiver() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let sender = sender();
    let urls = ["127.0.0.1", "localhost", "does-not-exist.invalid"];
    let urls = urls.map(|host| format!("http://{host}:{port}/hook").parse::<Url>().expect("a URL"));
    // Whatever the first send keeps open is open now.
    assert_eq!(send(&sender, &urls[0]).await.error_class, Some(ErrorClass::Refused));
    let used_up = use_up_descriptors();
    for url in &urls {
        let report = send(&sender, url).await;
        let (result, class) = (report.result, report.error_class);
        assert_eq!(
            (result, class),
            (SendResult::LocalShortage, Some(ErrorClass::Internal)),
            "{url}: {report:?}"
        );
        assert_eq!(Verdict::from_result(result, class), None);
    }
    drop(used_up);
    let classes = [ErrorClass::Refused, ErrorClass::Refused, ErrorClass::Dns];
    for (url, class) in urls.iter().zip(classes) {
        let report = send(&sender, url).await;
        assert_eq!(
            (report.result, report.error_class),
            (SendResult::Failed, Some(class)),
            "{url}: {report:?}"
        );
    }
}
