//! The delivery channels: the outbound guard, one pooled HTTP client, and one folder per channel.
//! Must not touch the database or the queue; no other crate sends requests to the outside.

mod answer;
pub mod guard;
pub mod outbound;
pub mod report;
pub mod telegram;
pub mod web_push;
pub mod webhook;

pub use guard::{Guard, GuardError};
pub use outbound::{Outbound, OutboundError, SenderOptions};
pub use report::{HeaderRecord, SendReport, Timing};
pub use telegram::{Bot, BotError, TelegramRequest, TelegramSender};
pub use web_push::{PushRequest, PushTarget, VapidKeys, WebPushSender};
pub use webhook::{WebhookRequest, WebhookSender, WebhookTarget};
