//! The token never appears, however a server echoes it.

use bytes::Bytes;
use domain::delivery::{ErrorClass, RESPONSE_BODY_KEPT};
use testkit::{Answer, Receiver};

use super::*;

const TOKEN: &str = "987654:AAEhBP0av28-secret_secret";
const SECRET: &str = "AAEhBP0av28-secret_secret";

#[track_caller]
fn assert_hidden(report: &SendReport) {
    let shown = format!("{report:?} {}", String::from_utf8_lossy(&report.response_body));
    let kept = report.response_headers.as_ref().map_or("{}", |headers| headers.as_json());
    assert!(!format!("{shown} {kept}").contains(SECRET), "{shown}");
    serde_json::from_str::<serde_json::Value>(kept).expect("still JSON");
}

/// A server that echoes the path and the token in headers, body and description.
async fn echoed(status: u16, body: Bytes) -> SendReport {
    let server = Receiver::start(0).await.expect("a free port");
    let url = server.url(&format!("/bot{TOKEN}/sendMessage"));
    let headers =
        [("location", &url[..]), ("x-token", TOKEN), ("x-path", "/bot987654%3AAAEhBP0av28-secret_secret")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    server.answer_always(Answer::StatusWith { status, headers, body });
    sender(TOKEN, &server.url("")).send(request(&note("hello"))).await
}

#[tokio::test]
async fn what_a_server_says_back_is_kept_without_the_token() {
    let page = format!("<h1>/bot{TOKEN}/sendMessage</h1> and {SECRET}{SECRET}");
    for status in [200, 302, 400, 403, 404, 429, 500, 503] {
        let report = echoed(status, page.clone().into()).await;
        assert_hidden(&report);
        assert_eq!(&report.response_body[..], "<h1>/bot987654:…/sendMessage</h1> and ……".as_bytes());
        assert!(report.response_headers.expect("kept").as_json().contains(r#""x-token":"987654:…""#));
    }
}

#[tokio::test]
async fn a_description_that_says_the_token_is_kept_without_it() {
    for code in [400, 403, 404, 500] {
        let sent =
            serde_json::json!({"ok": false, "error_code": code, "description": format!("no {TOKEN} here")});
        let report = echoed(code, sent.to_string().into()).await;
        assert_hidden(&report);
        assert_eq!(report.error, Some(format!("answered {code}: no 987654:… here")));
    }
}

#[tokio::test]
async fn a_token_at_the_end_of_what_is_kept_is_not_kept_by_half() {
    for kept in 4..=SECRET.len() {
        let body = [&vec![b' '; RESPONSE_BODY_KEPT - kept], SECRET.as_bytes()].concat();
        let report = echoed(500, body.into()).await;
        assert_hidden(&report);
        let end = String::from_utf8_lossy(&report.response_body);
        assert!(!end.contains(&SECRET[..4]), "{kept}: {}", end.trim());
    }
}

#[tokio::test]
async fn failures_of_transport_say_no_token() {
    let server = Receiver::start(0).await.expect("a free port");
    server.answer_always(Answer::Drop);
    let closed = Receiver::start(0).await.expect("a free port");
    let gone = closed.url("");
    closed.stop().await;
    for (url, class) in [
        (server.url(""), ErrorClass::Reset),
        (gone, ErrorClass::Refused),
        ("http://nowhere.invalid".to_owned(), ErrorClass::Dns),
        (server.url("").replace("http:", "https:"), ErrorClass::Tls),
    ] {
        let report = sender(TOKEN, &url).send(request(&note("hello"))).await;
        assert_eq!(report.error_class, Some(class), "{report:?}");
        assert_hidden(&report);
    }
}

#[test]
fn neither_bot_nor_sender_show_it() {
    let sender = sender(TOKEN, "http://127.0.0.1:1/");
    assert!(!format!("{sender:?}").contains(SECRET) && format!("{sender:?}").contains("987654"));
}
