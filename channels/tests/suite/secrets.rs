//! Secrets never appear in a report, whatever the result of the send.

use tokio::io::AsyncWriteExt as _;

use super::{
    receiver::{Receiver, answer, read_request},
    *,
};

#[track_caller]
fn assert_hidden(report: &SendReport, secrets: &[String]) {
    let body = String::from_utf8_lossy(&report.response_body);
    let sent = format!("{report:?} {body}");
    for secret in secrets {
        assert!(!sent.contains(secret.as_str()), "{secret} in {sent}");
    }
}

pub(crate) async fn no_report_shows_a_secret<S: Subject>() {
    let receiver = Receiver::answering(ok::<S>()).await;
    let secrets = S::secrets(&receiver.url());
    assert!(!secrets.is_empty(), "a suite that looks for nothing finds nothing");
    assert_hidden(&send::<S>(receiver.url()).await, &secrets);
    let fails = Receiver::answering(answer("500 Oops", "", &S::failure(500))).await;
    assert_hidden(&send::<S>(fails.url()).await, &S::secrets(&fails.url()));
    let garbage = Receiver::answering("garbage\r\n\r\n").await;
    assert_hidden(&send::<S>(garbage.url()).await, &S::secrets(&garbage.url()));
    let plain = receiver.url_at("https", "localhost");
    assert_hidden(&send::<S>(plain).await, &secrets);
}

pub(crate) async fn what_receivers_say_back_is_hidden_where_the_channel_says_so<S: Subject>() {
    let echoes = Receiver::each(|mut stream| async move {
        if let Some(request) = read_request(&mut stream).await {
            let path = request.head.split(' ').nth(1).unwrap_or_default().to_owned();
            let body = format!("{}{}", request.head, String::from_utf8_lossy(&request.body));
            let headers = format!("location: {path}\r\n");
            let _ = stream.write_all(&answer("400 Bad Request", &headers, body.as_bytes())).await;
        }
    })
    .await;
    let report = send::<S>(echoes.url()).await;
    assert_eq!(report.status_code, Some(400), "{report:?}");
    assert!(String::from_utf8_lossy(&report.response_body).contains("POST "), "the rest is kept");
    assert_hidden(&report, &S::secrets_said_back(&echoes.url()));
}
