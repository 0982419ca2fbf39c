//! Uploads that are refused. None of them leaves a file or a row.

use tokio::io::AsyncWriteExt;

use crate::{
    harness::{Answer, STALL, TestApi},
    uploads::{file_named, multipart},
};

fn small_file() -> Vec<u8> {
    multipart("b", &[(&file_named("x.txt"), b"content")])
}

#[tokio::test]
async fn an_invalid_uuid_is_400_and_an_unknown_one_404() {
    let api = TestApi::start().await;
    for id in ["1", "not-a-uuid", "441a53ea-93d1-4a87-9b99-ac20616458cg", "%ff", "..%2f..%2fetc", "%00"] {
        api.upload(id, "b", &small_file()).await.refused(400);
    }
    let unknown = "441a53ea-93d1-4a87-9b99-ac20616458c3";
    assert!(api.upload(unknown, "b", &small_file()).await.refused(404).contains("webhook"));
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn an_unknown_webhook_is_404_before_the_body_is_sent() {
    let api = TestApi::start().await;
    let headers = [
        ("content-type", "multipart/form-data; boundary=b"),
        ("content-length", "1000000000"),
        ("expect", "100-continue"),
    ];
    let path = "/upload_file/webhook_id/441a53ea-93d1-4a87-9b99-ac20616458c3";
    api.send("POST", path, &headers, b"").await.refused(404);
}

#[tokio::test]
async fn a_client_that_is_still_sending_sees_the_rejection() {
    let api = TestApi::start().await;
    let body = multipart("b", &[(&file_named("x"), &vec![7; 4 * 1_024 * 1_024])]);
    for _ in 0..5 {
        api.upload("441a53ea-93d1-4a87-9b99-ac20616458c3", "b", &body).await.refused(404);
    }
}

#[tokio::test]
async fn another_content_type_is_415_and_a_bad_boundary_400() {
    let api = TestApi::start().await;
    let path = format!("/upload_file/webhook_id/{}", api.webhook().await);
    for content_type in ["application/json", "text/plain", "multipart/mixed; boundary=b", ""] {
        api.send("POST", &path, &[("content-type", content_type)], &small_file()).await.refused(415);
    }
    api.send("POST", &path, &[], &small_file()).await.refused(415);
    let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
    for content_type in
        ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"", &long]
    {
        api.send("POST", &path, &[("content-type", content_type)], &small_file()).await.refused(400);
    }
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn exactly_one_file_is_required() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    let file = file_named("x");
    let faulty: [&[(&str, &[u8])]; 7] = [
        &[],
        &[("Content-Disposition: form-data; name=\"note\"", b"hello")],
        &[("Content-Disposition: form-data; name=\"File\"; filename=\"x\"", b"x")],
        &[("Content-Disposition: form-data; name=\"file\"", b"no name at all")],
        &[("Content-Type: text/plain", b"no disposition")],
        &[(&file, b"one"), (&file, b"two")],
        &[("Content-Disposition: form-data; filename=\"file\"", b"x")],
    ];
    for parts in faulty {
        let reply = api.upload(&webhook, "b", &multipart("b", parts)).await.refused(400);
        assert!(reply.starts_with("file: "), "{reply}");
    }
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn an_empty_name_or_one_with_nul_is_rejected() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    for name in ["", "/", "..", "../", r"C:\dir\/", "   ", "\u{202e}"] {
        let reply =
            api.upload(&webhook, "b", &multipart("b", &[(&file_named(name), b"x")])).await.refused(400);
        assert!(reply.contains("name"), "{name:?}: {reply}");
    }
    let nul = multipart("b", &[("Content-Disposition: form-data; name=\"file\"; filename=\"a\0b\"", b"x")]);
    api.upload(&webhook, "b", &nul).await.refused(400);
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn a_malformed_body_is_rejected() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    let whole = multipart("b", &[(&file_named("x"), &[b'x'; 2_000])]);
    let unclosed = &whole[..whole.len() - 6];
    for body in [&b""[..], b"x", b"--b", b"--b--", b"--b\r\n\r\n", &whole[..30], &whole[..1_000], unclosed] {
        let answer = api.upload(&webhook, "b", body).await;
        answer.refused(400);
    }
    api.upload(&webhook, "another", &whole).await.refused(400);
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn a_truncated_body_is_rejected() {
    let api = TestApi::start().await;
    let path = format!("/upload_file/webhook_id/{}", api.webhook().await);
    let whole = multipart("b", &[(&file_named("x"), &vec![b'x'; 500_000])]);
    let length = whole.len().to_string();
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("content-length", &length)];
    let request = api.request("POST", &path, &headers, &whole[..400_000]);
    let mut stream = api.connect().await;
    stream.write_all(&request).await.expect("sent");
    stream.shutdown().await.expect("half closed");
    Answer::read(stream).await.refused(400);
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn a_disconnected_client_leaves_nothing() {
    let api = TestApi::start().await;
    let path = format!("/upload_file/webhook_id/{}", api.webhook().await);
    let whole = multipart("b", &[(&file_named("x"), &vec![b'x'; 500_000])]);
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("content-length", "5000000")];
    let mut stream = api.connect().await;
    stream.write_all(&api.request("POST", &path, &headers, &whole[..400_000])).await.expect("sent");
    crate::harness::until("the file is begun", || !api.stored_files().is_empty()).await;
    stream.set_zero_linger().expect("an option");
    drop(stream);
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn a_stalled_body_is_408() {
    let api = TestApi::start().await;
    let path = format!("/upload_file/webhook_id/{}", api.webhook().await);
    let whole = multipart("b", &[(&file_named("x"), &[b'x'; 2_000])]);
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("content-length", "5000")];
    for sent in [0, 3, 40, 1_000] {
        let start = std::time::Instant::now();
        api.send("POST", &path, &headers, &whole[..sent]).await.refused(408);
        assert!(start.elapsed() >= STALL, "given up too early after {sent} bytes");
    }
    api.assert_nothing_left().await;
}

#[tokio::test]
async fn parts_and_their_headers_are_bounded() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    let (note, file) = ("Content-Disposition: form-data; name=\"note\"", file_named("x"));
    let with = |others: usize| {
        let mut parts: Vec<(&str, &[u8])> = vec![(note, b"n"); others];
        parts.push((&file, b"x"));
        multipart("b", &parts)
    };
    assert_eq!(api.upload(&webhook, "b", &with(63)).await.status, 200);
    api.upload(&webhook, "b", &with(64)).await.refused(400);
    let other = |bytes: usize| multipart("b", &[(&file, b"x"), (note, &vec![b'n'; bytes])]);
    assert_eq!(api.upload(&webhook, "b", &other(1_024 * 1_024)).await.status, 200);
    api.upload(&webhook, "b", &other(1_024 * 1_024 + 1)).await.refused(413);
    let endless_head = [b"--b\r\nX-A: ".to_vec(), vec![b'a'; 1_500_000]].concat();
    api.upload(&webhook, "b", &endless_head).await.refused(400);
    let endless_preamble = vec![b'a'; 1_500_000];
    api.upload(&webhook, "b", &endless_preamble).await.refused(400);
    let many_headers = format!("{file}{}", "\r\nX-A: b".repeat(40));
    api.upload(&webhook, "b", &multipart("b", &[(&many_headers, b"x")])).await.refused(400);
    assert_eq!((api.stored_files().len(), api.count("upload").await), (2, 2));
}

#[tokio::test]
async fn a_disk_error_is_503_and_leaves_no_row() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    let storage = &api.context.config.storage_dir;
    std::fs::remove_dir_all(storage).expect("removed");
    std::fs::write(storage, "a file where the directory was").expect("written");
    api.upload(&webhook, "b", &small_file()).await.refused(503);
    assert_eq!(api.count("upload").await, 0);
}

#[tokio::test]
async fn without_a_database_an_upload_is_503_and_leaves_no_file() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    api.context.database.close().await;
    api.upload(&webhook, "b", &small_file()).await.refused(503);
    api.get("/event_type").await.refused(503);
    assert_eq!(api.stored_files().len(), 0);
}
