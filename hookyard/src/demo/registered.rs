//! Steps 2 and 3: what there is to register for, and a webhook.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{api::Api, transcript::Transcript};
use receiver::Receiver;

/// The event type that is registered for.
pub(super) const EVENT_TYPE: &str = "upload file";
/// Sent with every call.
pub(super) const TOKEN: &str = "Bearer my-own-token";
/// Laid over the body.
pub(super) const SOURCE: &str = "hookyard demo";

/// Lists the event types and registers a webhook; gives its id.
pub(super) async fn event_types_and_webhook(
    transcript: &Transcript,
    api: &Api,
    receiver: &Receiver,
) -> anyhow::Result<String> {
    let event_type = event_type(transcript, api).await?;
    transcript.step(&format!("Register a webhook for \"{EVENT_TYPE}\""));
    let body = json!({
        "event_type_id": event_type,
        "user_id": 1,
        "url": receiver.url("/hooks"),
        "custom_headers": {"Authorization": TOKEN},
        "custom_payload": {"source": SOURCE},
    });
    let url = api.url("/webhook/register");
    let data = format!("--data '{}'", indented(&body));
    transcript.command(&[&format!("curl {url}"), "--header 'Content-Type: application/json'", &data]);
    let answer = api.post("/webhook/register", &body).await?;
    transcript.answer(200, text(&answer, "/message")?);
    let id = text(&answer, "/data/id")?.to_owned();
    transcript.inner_row("webhook", &id);
    Ok(id)
}

async fn event_type(transcript: &Transcript, api: &Api) -> anyhow::Result<String> {
    transcript.step("List the event types");
    transcript.command(&[&format!("curl {}", api.url("/event_type"))]);
    let answer = api.get("/event_type").await?;
    transcript.answer(200, text(&answer, "/message")?);
    let mut found = None;
    for listed in answer["data"].as_array().context("expected a list of event types")? {
        let (id, name) = (text(listed, "/id")?, text(listed, "/name")?);
        transcript.inner_row(name, &format!("{id}  {}", text(listed, "/description")?));
        found = found.or((name == EVENT_TYPE).then(|| id.to_owned()));
    }
    found.with_context(|| format!("expected an event type {EVENT_TYPE:?}, got {answer}"))
}

/// A webhook for this event type without extras, at `url`; gives its id.
pub(super) async fn plain_webhook(api: &Api, event_type: &str, url: &str) -> anyhow::Result<String> {
    let listed = api.get("/event_type").await?;
    let types = listed["data"].as_array().context("expected a list of event types")?;
    let event_type =
        types.iter().find(|listed| listed["name"] == event_type).context("no such event type")?;
    let body = json!({"event_type_id": event_type["id"], "user_id": 1, "url": url});
    let answer = api.post("/webhook/register", &body).await?;
    Ok(text(&answer, "/data/id")?.to_owned())
}

/// The text at a place of a document.
pub(super) fn text<'v>(value: &'v Value, place: &str) -> anyhow::Result<&'v str> {
    value
        .pointer(place)
        .and_then(Value::as_str)
        .with_context(|| format!("expected a text at {place}, got {value}"))
}

/// As one would write it into a command: a member a line.
fn indented(body: &Value) -> String {
    let members = body.as_object().into_iter().flatten();
    let lines: Vec<String> = members.map(|(name, value)| format!("         \"{name}\": {value}")).collect();
    format!("{{\n{}\n       }}", lines.join(",\n"))
}
