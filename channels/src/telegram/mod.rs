//! Telegram: sends a notification as messages of a bot, one `sendMessage` per part (core.telegram.org/bots/api).
//! Must not decide about retries, and must never store or show the bot's token.

mod bot;
mod outcome;
mod response;
mod send;
mod split;
mod text;

pub use bot::{Bot, BotError, MAX_TOKEN};
pub use send::{TelegramRequest, TelegramSender};
pub use split::MAX_UNITS;
pub use text::has_content;
