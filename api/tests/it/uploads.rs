//! Uploads that are taken: what the clients of the document really send.

use std::fs;

use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::harness::{Answer, TestApi};

/// A body of parts with this boundary, each with its own headers.
pub fn multipart(boundary: &str, parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend(format!("--{boundary}\r\n{head}\r\n\r\n").bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").bytes());
    body
}

/// The headers of a part with a file of this name.
pub fn file_named(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/png")
}

impl TestApi {
    /// Uploads by a body that is given whole.
    pub async fn upload(&self, webhook: &str, boundary: &str, body: &[u8]) -> Answer {
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let path = format!("/upload_file/webhook_id/{webhook}");
        self.send("POST", &path, &[("content-type", &content_type)], body).await
    }

    pub async fn uploaded(&self) -> Vec<entity::upload::Model> {
        use sea_orm::{EntityTrait, QueryOrder};
        let rows = entity::upload::Entity::find().order_by_asc(entity::upload::Column::Id);
        rows.all(self.context.database.reader()).await.expect("rows")
    }
}

#[track_caller]
fn assert_ok(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json(), json!({"message": "ok", "data": {}, "error": false}));
}

#[tokio::test]
async fn file_names_in_the_encodings_of_common_clients_are_decoded() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    for (written, name) in [
        (
            "filename=\"=?utf-8?B?UHLDvGZiZXJpY2h0LnBkZg==?=\"; filename*=utf-8''Pr%C3%BCfbericht.pdf",
            "Prüfbericht.pdf",
        ),
        ("filename*=UTF-8''a%20b.txt", "a b.txt"),
        ("filename=\"my%20file.pdf\"", "my file.pdf"),
        ("filename=\"100%.txt\"", "100%.txt"),
    ] {
        let head = format!("Content-Disposition: form-data; name=\"file\"; {written}");
        assert_ok(&api.upload(&webhook, "b", &multipart("b", &[(&head, b"x")])).await);
        assert_eq!(api.uploaded().await.pop().expect("a row").file_name, name, "{written}");
    }
}

#[tokio::test]
async fn a_file_is_stored_byte_for_byte_with_its_row() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    let content: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    assert_ok(&api.upload(&webhook, "b", &multipart("b", &[(&file_named("picture.png"), &content)])).await);
    let rows = api.uploaded().await;
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((row.endpoint_id.to_string(), row.user_id), (webhook, 1));
    assert_eq!(
        (row.file_name.as_str(), row.size_bytes, row.state.as_str()),
        ("picture.png", 300_000, "received")
    );
    let files = api.stored_files();
    assert_eq!(files.len(), 1);
    assert_eq!(fs::read(&files[0]).expect("a file"), content);
}

#[tokio::test]
async fn of_two_boundaries_the_last_is_used() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    // What curl 8 sends for the document's example: its own boundary behind the given one.
    let boundary = "------------------------WjGWFfpEbLn6NqQ8mGdDQB";
    let body = multipart(boundary, &[(&file_named("file.jpg"), b"jpeg\r\n--not the end\r\n")]);
    let head = format!(
        "POST /upload_file/webhook_id/{webhook} HTTP/1.1\r\nHost: {}\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\
         Connection: close\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary=---011000010111000001101001; boundary={boundary}\r\n\r\n",
        api.address,
        body.len()
    );
    assert_ok(&api.raw([head.as_bytes(), &body].concat()).await);
    assert_eq!(fs::read(&api.stored_files()[0]).expect("a file"), b"jpeg\r\n--not the end\r\n");
}

#[tokio::test]
async fn other_parts_are_skipped() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    let other = "Content-Disposition: form-data; name=\"note\"";
    let also = "Content-Disposition: form-data; name=\"files\"; filename=\"x\"";
    let parts: [(&str, &[u8]); 4] =
        [(other, b"hello"), (also, b"not this"), (&file_named("a.txt"), b"this"), (other, b"bye")];
    let body = [b"preamble\r\n".to_vec(), multipart("b", &parts), b"epilogue".to_vec()].concat();
    assert_ok(&api.upload(&webhook, "b", &body).await);
    assert_eq!(fs::read(&api.stored_files()[0]).expect("a file"), b"this");
}

#[tokio::test]
async fn an_empty_file_is_accepted() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    assert_ok(&api.upload(&webhook, "b", &multipart("b", &[(&file_named("empty"), b"")])).await);
    assert_eq!(api.uploaded().await[0].size_bytes, 0);
}

#[tokio::test]
async fn a_path_in_a_file_name_is_removed() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    let named = [
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\me\picture.png", "picture.png"),
        ("/etc/shadow", "shadow"),
        (r"..\\..\\evil.exe", "evil.exe"),
        ("bücher.txt", "bücher.txt"),
        (r#"a \"quoted\" name.txt"#, "a _quoted_ name.txt"),
    ];
    for (sent, _) in named {
        assert_ok(&api.upload(&webhook, "b", &multipart("b", &[(&file_named(sent), b"x")])).await);
    }
    let rows = api.uploaded().await;
    for (row, (sent, kept)) in rows.iter().zip(named) {
        assert!(!row.file_name.contains(['/', '\\', '"']), "{sent} became {}", row.file_name);
        if !sent.contains('"') {
            assert_eq!(row.file_name, kept);
        }
        assert_eq!(row.storage_key, format!("uploads/{}", row.id));
    }
    assert_eq!(api.stored_files().len(), named.len(), "each under its id, below the storage");
}

#[tokio::test]
async fn a_file_is_accepted_up_to_the_limit() {
    let api = TestApi::with(&[("MAX_UPLOAD_BYTES", "100000")]).await;
    let webhook = api.webhook().await;
    let sized = |bytes: usize| multipart("b", &[(&file_named("x"), &vec![b'x'; bytes])]);
    api.upload(&webhook, "b", &sized(100_001)).await.refused(413);
    api.assert_nothing_left().await;
    // So large that its length alone says so.
    let path = format!("/upload_file/webhook_id/{webhook}");
    let headers =
        [("content-type", "multipart/form-data; boundary=b"), ("content-length", "9000000000000000000")];
    api.send("POST", &path, &headers, b"--b").await.refused(413);
    api.assert_nothing_left().await;
    assert_ok(&api.upload(&webhook, "b", &sized(100_000)).await);
}

#[tokio::test]
async fn a_body_may_arrive_byte_by_byte() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    let body = multipart("b", &[(&file_named("slow"), b"\r\r\n\r\n-\r\n--\r\n--a\r")]);
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("transfer-encoding", "chunked")];
    let chunks: Vec<u8> = body.iter().flat_map(|byte| [b"1\r\n", &[*byte][..], b"\r\n"].concat()).collect();
    let request = api.request("POST", &format!("/upload_file/webhook_id/{webhook}"), &headers, b"");
    let mut stream = api.connect().await;
    stream.set_nodelay(true).expect("an option");
    for piece in [&request[..], &chunks, b"0\r\n\r\n"].concat().chunks(7) {
        stream.write_all(piece).await.expect("sent");
    }
    assert_ok(&Answer::read(stream).await);
    assert_eq!(fs::read(&api.stored_files()[0]).expect("a file"), b"\r\r\n\r\n-\r\n--\r\n--a\r");
}

#[tokio::test]
async fn expect_100_continue_is_answered() {
    let api = TestApi::start().await;
    let webhook = api.webhook().await;
    let body = multipart("b", &[(&file_named("x"), b"content")]);
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("expect", "100-continue")];
    assert_ok(&api.send("POST", &format!("/upload_file/webhook_id/{webhook}"), &headers, &body).await);
}
