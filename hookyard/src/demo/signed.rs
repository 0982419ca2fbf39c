//! Step 7: a signed message comes in and goes on to a webhook; one with another's signature does neither.

use std::time::Duration;

use anyhow::Context as _;
use domain::{message::MESSAGE_EVENT_TYPE, signature::IngestKey};
use serde_json::Value;

use super::{
    api::Api,
    expect::same,
    registered::{plain_webhook, text},
    server::Server,
    transcript::Transcript,
};
use crate::terminal::cut;
use receiver::{Call, Receiver};

const INGEST: &str = "/webhook";
const HOOK: &str = "/messages";
/// As in the document; the copy says something else.
const MESSAGE: &str = r#"{"message_id":"m1","from":"+919876543210","to":"+14155550100","ts":"2025-01-15T10:00:00Z","text":"Hello"}"#;
const FORGED: &str = r#"{"message_id":"m1","from":"+919876543210","to":"+14155550100","ts":"2025-01-15T10:00:00Z","text":"Pay me"}"#;
/// How much of the signature is shown.
const SHOWN: usize = 16;
/// Longest wait for the webhook.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends the genuine message and the forged copy.
pub(super) async fn signed(
    transcript: &Transcript,
    api: &Api,
    server: &Server,
    receiver: &Receiver,
) -> anyhow::Result<()> {
    transcript.step("Receive a signed message");
    plain_webhook(api, MESSAGE_EVENT_TYPE, &receiver.url(HOOK)).await?;
    transcript
        .note(&format!("your application is registered for {MESSAGE_EVENT_TYPE}, at {}", receiver.url(HOOK)));
    let secret =
        server.context.config.webhook_secret.as_ref().context("expected a secret of signed ingest")?;
    let signature = IngestKey::new(secret.expose().as_bytes()).sign(MESSAGE.as_bytes());
    let before = receiver.count();
    send(transcript, api, MESSAGE, &signature, 200).await?;
    send(transcript, api, FORGED, &signature, 401).await?;
    let calls = receiver.wait_for(before + 1, PATIENCE).await;
    let call = calls.iter().find(|call| call.path == HOOK).context("expected a webhook about the message")?;
    check(transcript, call)
}

async fn send(
    transcript: &Transcript,
    api: &Api,
    body: &'static str,
    signature: &str,
    expected: u16,
) -> anyhow::Result<()> {
    let header = format!("--header 'X-Signature: {}'", cut(signature, SHOWN));
    transcript.command(&[&format!("curl {}", api.url(INGEST)), &header, &format!("--data '{body}'")]);
    let (status, response) = api.post_signed(INGEST, body, signature).await?;
    same("the status of a signed message", expected, status)?;
    transcript.answer(status, &response);
    Ok(())
}

fn check(transcript: &Transcript, call: &Call) -> anyhow::Result<()> {
    let body = call.json().unwrap_or_default();
    let sent: Value = serde_json::from_str(MESSAGE)?;
    same("the type of the webhook", MESSAGE_EVENT_TYPE, text(&body, "/type")?)?;
    same("its data", &sent, &body["data"])?;
    transcript
        .tick(&format!("delivered as a {MESSAGE_EVENT_TYPE} event; a copy with another text was rejected"));
    Ok(())
}
