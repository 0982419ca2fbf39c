//! An orderly end: readiness is false, the listener closes, what is under way ends.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    harness::{Answer, PATIENCE, TestApi},
    uploads::{file_named, multipart},
};

#[tokio::test]
async fn a_running_upload_finishes_and_idle_connections_close() {
    let mut api = TestApi::start().await;
    let path = format!("/upload_file/webhook_id/{}", api.webhook().await);
    let body = multipart("b", &[(&file_named("x"), &vec![b'x'; 300_000])]);
    let length = body.len().to_string();
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("content-length", &length)];
    let mut uploading = api.connect().await;
    uploading.write_all(&api.request("POST", &path, &headers, &body[..100_000])).await.expect("sent");
    crate::harness::until("the file is begun", || !api.stored_files().is_empty()).await;
    let mut idle = api.connect().await;
    idle.write_all(format!("GET /health HTTP/1.1\r\nhost: {}\r\n\r\n", api.address).as_bytes())
        .await
        .expect("sent");
    assert!(idle.read(&mut [0; 4_096]).await.expect("an answer") > 0);

    api.stop.cancel();
    let closed = timeout(PATIENCE, idle.read(&mut [0; 1])).await.expect("in time");
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    timeout(PATIENCE, async { while TcpStream::connect(api.address).await.is_ok() {} })
        .await
        .expect("closes");
    assert!(!api.running.is_finished(), "an upload is under way");

    uploading.write_all(&body[100_000..]).await.expect("sent");
    let answer = Answer::read(uploading).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    timeout(PATIENCE, &mut api.running).await.expect("ends in time").expect("ends in order");
    assert_eq!(api.uploaded().await.len(), 1);
}

#[tokio::test]
async fn readiness_is_false_during_shutdown() {
    let api = TestApi::start().await;
    // Both connections are taken before the stop.
    let (mut busy, mut asking) = (api.connect().await, api.connect().await);
    let path = format!("/upload_file/webhook_id/{}", api.webhook().await);
    let headers = [("content-type", "multipart/form-data; boundary=b"), ("content-length", "100")];
    busy.write_all(&api.request("POST", &path, &headers, b"--b")).await.expect("sent");
    asking.write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\n").await.expect("sent");
    api.get("/health").await;
    api.stop.cancel();
    timeout(PATIENCE, async { while TcpStream::connect(api.address).await.is_ok() {} })
        .await
        .expect("closes");
    asking.write_all(b"\r\n").await.expect("sent");
    let answer = Answer::read(asking).await;
    assert_eq!((answer.status, answer.json()["reason"].as_str()), (503, Some("stopping")), "{answer:?}");
}
