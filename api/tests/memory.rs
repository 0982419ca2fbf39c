//! An upload is never held whole in memory. In a process of its own, where nothing else allocates.

#[path = "it/harness.rs"]
#[allow(dead_code, reason = "the rest is for the other tests")]
mod harness;

use tokio::io::AsyncWriteExt;

use harness::{Answer, TestApi};

/// Bytes of the upload.
const SIZE: usize = 128 * 1_024 * 1_024;
/// How much resident memory may grow meanwhile, at its peak.
const BOUND_KIB: usize = 32 * 1_024;

/// A line of `/proc/self/status`, in KiB.
fn memory(line: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let found = status.lines().find_map(|text| text.strip_prefix(line)).expect("a line");
    found.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_does_not_raise_memory() {
    let api = TestApi::start().await;
    let path = format!("/upload_file/webhook_id/{}", api.webhook().await);
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"large\"\r\n\r\n";
    let length = (head.len() + SIZE + "\r\n--b--\r\n".len()).to_string();
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("content-length", &length)];
    let request = api.request("POST", &path, &headers, head.as_bytes());
    let chunk = vec![b'x'; 64 * 1_024];
    let before = memory("VmRSS");

    let mut stream = api.connect().await;
    stream.write_all(&request).await.expect("sent");
    for _ in 0..SIZE / chunk.len() {
        stream.write_all(&chunk).await.expect("sent");
    }
    stream.write_all(b"\r\n--b--\r\n").await.expect("sent");
    let answer = Answer::read(stream).await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let grown = memory("VmHWM").saturating_sub(before);
    assert!(grown <= BOUND_KIB, "memory grew by {grown} KiB");
    let stored = std::fs::metadata(&api.stored_files()[0]).expect("a file").len();
    assert_eq!(stored, SIZE as u64);
}
