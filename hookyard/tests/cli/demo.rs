//! `hookyard demo`.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::running::{Running, command};

#[test]
fn the_demo_shows_the_whole_path_and_leaves_nothing_behind() {
    let start = Instant::now();
    let output = command(&["demo"]).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    for part in [
        "Register Webhook Successfully!",
        "✓ both signatures verify with the secret",
        "✓ the custom header and the custom payload are included",
        r#"{"kind":"csv","lines":1001,"columns":4}"#,
        "✓ same SHA-256 as the uploaded file; a modified link is rejected with 403",
        "✓ delivered, with the same webhook-id in all three calls",
        "200  {\"status\":\"ok\"}",
        "401  {\"detail\":\"invalid signature\"}",
        "✓ delivered as a message.received event; a copy with another text was rejected",
        r#""chat_id":-1001234567890"#,
        "✓ one of one chat notified",
        "9  All checks passed",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains('\x1b'), "no colours outside a terminal");
    let folder = text.split_whitespace().find(|word| word.contains("hookyard-demo-")).expect("the directory");
    assert!(!Path::new(folder).exists(), "{folder} is still there");
}

#[test]
fn a_demo_that_is_kept_runs_until_ctrl_c() {
    let mut demo = Running::start(&["demo", "--keep"]);
    demo.line_with("keeps running until Ctrl-C");
    let api = demo.line_with("API");
    let url = api.split_whitespace().last().expect("its URL");
    let address = url.strip_prefix("http://").expect("plain HTTP");
    std::net::TcpStream::connect(address).expect("it still listens");
    let log = demo.line_with("log");
    let log = Path::new(log.split_whitespace().last().expect("its path")).to_owned();
    assert!(log.is_file());
    let (status, rest) = demo.interrupt();
    assert!(status.success(), "{status}\n{rest}");
    assert!(!log.exists());
}

#[test]
fn a_demo_that_is_interrupted_cleans_up() {
    let mut demo = Running::start(&["demo"]);
    let data = demo.line_with("hookyard-demo-");
    let folder = data.split_whitespace().find(|word| word.contains("hookyard-demo-")).expect("the directory");
    let (status, rest) = demo.interrupt();
    assert_eq!(status.code(), Some(130), "{rest}");
    assert!(!Path::new(folder).exists());
}
