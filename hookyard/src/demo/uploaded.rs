//! Step 4: the signing secret, and two files.

use std::time::Instant;

use anyhow::Context as _;
use domain::signature::SigningSecret;

use super::{api::Api, registered::text, samples::Sample, transcript::Transcript};
use crate::terminal::cut;

/// How much of the secret is shown.
const SHOWN: usize = 14;

/// Fetches the secret of a webhook.
pub(super) async fn secret(
    transcript: &Transcript,
    api: &Api,
    webhook: &str,
) -> anyhow::Result<SigningSecret> {
    transcript.step("Fetch the signing secret and upload files");
    let path = format!("/v1/endpoints/{webhook}/secret");
    transcript.command(&[&format!("curl {}", api.url(&path))]);
    let answer = api.get(&path).await?;
    let secret = text(&answer, "/secret")?;
    transcript.answer(200, &format!("{}  (truncated in this transcript)", cut(secret, SHOWN)));
    secret.parse().context("expected a signing secret")
}

/// Uploads the files; gives when the last was answered.
pub(super) async fn upload_all(
    transcript: &Transcript,
    api: &Api,
    webhook: &str,
    files: &[Sample],
) -> anyhow::Result<Instant> {
    for file in files {
        upload(transcript, api, webhook, file).await?;
    }
    Ok(Instant::now())
}

/// Uploads one file.
pub(super) async fn upload(
    transcript: &Transcript,
    api: &Api,
    webhook: &str,
    file: &Sample,
) -> anyhow::Result<()> {
    let path = format!("/upload_file/webhook_id/{webhook}");
    transcript
        .command(&[&format!("curl {}", api.url(&path)), &format!("--form file=@{}", file.path.display())]);
    let start = Instant::now();
    let answer = api.upload(&path, file).await?;
    let took = start.elapsed().as_secs_f64() * 1e3;
    let what = format!("{}, {}, on disk after {took:.0} ms", file.what, size(file.bytes.len()));
    transcript.answer(200, &format!("{}  {what}", text(&answer, "/message")?));
    Ok(())
}

fn size(bytes: usize) -> String {
    if bytes < 1_024 { format!("{bytes} bytes") } else { format!("{:.1} KiB", bytes as f64 / 1_024.0) }
}
