//! The Telegram channel against a fake Bot API: the messages that chats get, the meaning of responses, what a later attempt
//! does not repeat, and where the token never appears.

mod answers;
mod groups;
mod parts;
mod secrets;

use std::time::Duration;

use channels::{Bot, Guard, Outbound, SendReport, SenderOptions, TelegramRequest, TelegramSender};
use domain::notification::Notification;
use testkit::telegram::Telegram;

use crate::suite::{PATIENT, SENT_AT};

/// Short: these tests wait for it to pass.
const SHORT: Duration = Duration::from_millis(200);
const CHAT: &str = "-1001234567890";

fn sender(token: &str, api_url: &str) -> TelegramSender {
    let outbound = Outbound::new(Guard::open(), &SenderOptions::default()).expect("a client");
    TelegramSender::with_client(outbound, Bot::new(token, api_url).expect("a bot"))
}

fn note(message: &str) -> Notification {
    Notification { title: None, message: message.to_owned(), url: None, notice_id: None }
}

fn request(notification: &Notification) -> TelegramRequest<'_> {
    TelegramRequest { chat_id: CHAT, notification, parts_sent: 0, deadline: PATIENT, sent_at: SENT_AT }
}

async fn send(api: &Telegram, request: TelegramRequest<'_>) -> SendReport {
    sender(api.token(), &api.api_url()).send(request).await
}
