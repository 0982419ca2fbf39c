//! Step 5: what the receiver got, and whether it is all that was promised.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use domain::signature::SigningSecret;
use platform::clock::Clock;
use serde_json::Value;

use super::{
    api::Api,
    expect::same,
    registered::{SOURCE, TOKEN, text},
    samples::{HEIGHT, ROWS, Sample, WIDTH, sha256},
    transcript::Transcript,
};
use receiver::{Call, Receiver};

/// Longest wait for the webhooks.
const PATIENCE: Duration = Duration::from_secs(15);
/// The headers that are shown.
const SHOWN: [&str; 5] =
    ["authorization", "content-type", "webhook-id", "webhook-timestamp", "webhook-signature"];

/// Shows and checks the webhooks of `files`; `answered` is when the last upload was.
pub(super) async fn delivered(
    transcript: &Transcript,
    api: &Api,
    receiver: &Receiver,
    files: &[Sample; 2],
    secret: &SigningSecret,
    answered: Instant,
) -> anyhow::Result<()> {
    let calls = receiver.wait_for(files.len(), PATIENCE).await;
    same("webhooks received", files.len(), calls.len())?;
    let [picture, table] = files.each_ref().map(|file| call_about(&calls, file));
    let ((call, body), (_, other)) = (picture?, table?);
    let late = calls.iter().map(|call| call.at).max().unwrap_or(answered).saturating_duration_since(answered);
    transcript.step(&format!("Webhooks received, {} ms after the last upload", late.as_millis()));
    show(transcript, call, &body);
    check(transcript, &calls, &body, &other, secret)?;
    download(transcript, api, &body, &files[0]).await
}

/// The call about a file, and its body.
fn call_about<'c>(calls: &'c [Call], file: &Sample) -> anyhow::Result<(&'c Call, Value)> {
    let mut others = Vec::new();
    for call in calls {
        let body = call.json().unwrap_or_default();
        if body["data"]["file_name"] == *file.name {
            return Ok((call, body));
        }
        others.push(body["data"]["file_name"].to_string());
    }
    bail!("expected a webhook about {}, got ones about {}", file.name, others.join(" and "))
}

fn show(transcript: &Transcript, call: &Call, body: &Value) {
    transcript.row(call.method.as_str(), &call.path);
    for name in SHOWN {
        transcript.row(name, call.header(name).unwrap_or("(missing)"));
    }
    transcript.blank();
    transcript.json(body);
    transcript.blank();
}

fn check(
    transcript: &Transcript,
    calls: &[Call],
    picture: &Value,
    table: &Value,
    secret: &SigningSecret,
) -> anyhow::Result<()> {
    let now = Clock::default().now();
    for call in calls {
        call.verify(secret, now).with_context(|| format!("the signature of {:?}", call.webhook_id()))?;
        let forged = Call { body: [&call.body[..], b" "].concat().into(), ..call.clone() };
        ensure!(forged.verify(secret, now).is_err(), "expected a changed body to be refused");
        same("the custom header", TOKEN, call.header("authorization").unwrap_or_default())?;
    }
    transcript.tick("both signatures verify with the secret; with one byte changed, verification fails");
    same("the custom payload", SOURCE, text(picture, "/source")?)?;
    transcript.tick("the custom header and the custom payload are included");
    let facts = |body: &Value| body["data"]["facts"].to_string();
    same(
        "the picture's facts",
        format!(r#"{{"kind":"image","width":{WIDTH},"height":{HEIGHT}}}"#),
        facts(picture),
    )?;
    same("the table's facts", format!(r#"{{"kind":"csv","lines":{},"columns":4}}"#, ROWS + 1), facts(table))?;
    transcript.tick(&format!("the other webhook describes orders.csv: {}", facts(table)));
    Ok(())
}

async fn download(transcript: &Transcript, api: &Api, body: &Value, file: &Sample) -> anyhow::Result<()> {
    same("sha256 in the webhook", file.sha256(), text(body, "/data/sha256")?.to_owned())?;
    let link = text(body, "/data/download_url")?;
    transcript.command(&["curl --silent \"$download_url\" | sha256sum"]);
    let (status, bytes) = api.fetch(link).await?;
    same("the download's status", 200, status)?;
    same("the download's SHA-256", file.sha256(), sha256(&bytes))?;
    transcript.answer(status, &sha256(&bytes));
    let (status, _) = api.fetch(&format!("{link}0")).await?;
    same("the status of a changed link", 403, status)?;
    transcript.tick("same SHA-256 as the uploaded file; a modified link is rejected with 403");
    Ok(())
}
