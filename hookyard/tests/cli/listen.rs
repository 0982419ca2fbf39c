//! `hookyard listen`.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use domain::signature::{SigningSecret, sign};

use crate::running::{Running, command};

#[test]
fn calls_are_printed_with_their_verdict_and_summed_up() {
    let secret = SigningSecret::generate();
    let mut listen =
        Running::start(&["listen", "--port", "0", "--secret", secret.expose(), "--fail-first", "1"]);
    let address = address(&listen.line_with("Listening on"));

    assert_eq!(post(&address, &secret, "{\"n\":1}"), 500);
    assert!(listen.line_with("POST").ends_with("POST /in  → 500"));
    assert!(listen.line_with("webhook-id").ends_with("evt_1"));
    assert!(listen.line_with("signature").ends_with("valid"));
    assert!(listen.line_with("\"n\"").ends_with("  \"n\": 1"));

    assert_eq!(post(&address, &SigningSecret::generate(), "{}"), 200);
    assert!(listen.line_with("webhook-id").ends_with("evt_1  seen 2 times"));
    assert!(listen.line_with("signature").ends_with("INVALID: no signature matches"));

    let (status, rest) = listen.interrupt();
    assert!(status.success());
    let sum = "2 calls of 1 message, 1 with an INVALID signature; answered 200 × 1, 500 × 1";
    assert!(rest.ends_with(sum), "{rest}");
}

#[test]
fn a_port_in_use_ends_it_with_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = command(&["listen", "--port", &port]).output().expect("it runs");
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1));
    assert!(error.starts_with(&format!("hookyard: port {port} can't be listened on")), "{error}");
    assert!(error.ends_with("choose another with --port\n") && error.lines().count() == 1, "{error}");
}

fn address(greeting: &str) -> String {
    let url = greeting.split_whitespace().find_map(|word| word.strip_prefix("http://")).expect("a URL");
    url.trim_end_matches('/').to_owned()
}

/// Sends a signed call and returns the status.
fn post(address: &str, secret: &SigningSecret, body: &str) -> u16 {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let signature =
        sign(std::slice::from_ref(secret), "evt_1", i64::try_from(now).expect("fits"), body.as_bytes());
    let request = format!(
        "POST /in HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\nwebhook-id: evt_1\r\n\
         webhook-timestamp: {now}\r\nwebhook-signature: {signature}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split_whitespace().nth(1).expect("a status").parse().expect("a number")
}
