//! Step 8: a notification goes out to a chat. What takes it stands for Telegram's Bot API, on this machine.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{api::Api, expect::same, registered::text, transcript::Transcript};
use receiver::{Answer, Call, Receiver};

/// A bot that does not exist.
pub(super) const TOKEN: &str = "123456:the-bot-of-the-demo";
/// The chat that it speaks to.
pub(super) const CHAT: &str = "-1001234567890";
const NOTIFY: &str = "/api/notify";
/// How long the call may wait for the chat, in seconds.
const PATIENCE: u32 = 10;
const TITLE: &str = "Doors <open>";
const MESSAGE: &str = "The yard is open until six & a bit.";

/// Answers as the Bot API does when it takes a message.
pub(super) async fn bot_api() -> std::io::Result<Receiver> {
    let bot_api = Receiver::start(0).await?;
    bot_api.answer_always(Answer::StatusWith {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: json!({"ok": true, "result": {"message_id": 1}}).to_string().into(),
    });
    Ok(bot_api)
}

/// Sends it, and shows what the chat got.
pub(super) async fn notified(transcript: &Transcript, api: &Api, bot_api: &Receiver) -> anyhow::Result<()> {
    transcript.step("Send a notification to a chat (web push is another channel: see hookyard keys vapid)");
    let body = json!({"title": TITLE, "message": MESSAGE});
    let prefer = format!("--header 'Prefer: wait={PATIENCE}'");
    let data = format!("--data '{body}'");
    let (url, json) = (format!("curl {}", api.url(NOTIFY)), "--header 'Content-Type: application/json'");
    transcript.command(&[&url, json, &prefer, &data]);
    let answer = api.post_and_wait(NOTIFY, &body, PATIENCE).await?;
    transcript.answer(200, &answer.to_string());
    let calls = bot_api.calls();
    same("calls of the Bot API", 1, calls.len())?;
    let call = calls.first().context("expected a call of the Bot API")?;
    transcript.row("Bot API received", &format!("{} {}", call.method, call.path.replace(TOKEN, "<token>")));
    let message = call.json().context("expected JSON")?;
    transcript.row("", &message.to_string());
    check(transcript, call, &message, &answer)
}

fn check(transcript: &Transcript, call: &Call, message: &Value, answer: &Value) -> anyhow::Result<()> {
    same("its path", format!("/bot{TOKEN}/sendMessage"), call.path.clone())?;
    same("the chat", CHAT, message["chat_id"].to_string().as_str())?;
    let written = text(message, "/text")?;
    ensure!(written.contains("<b>Doors &lt;open&gt;</b>"), "expected a bold, escaped title, got {written:?}");
    let counts = &answer["results"]["telegram"];
    let one = |name: &str| counts[name] == 1;
    ensure!(
        one("total") && one("succeeded") && answer["success"] == true,
        "expected one success, got {answer}"
    );
    transcript.tick("one of one chat notified; the title is bold, and markup in the text is escaped");
    Ok(())
}
