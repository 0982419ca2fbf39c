//! Telegram: a notification as messages of a bot, one `sendMessage` a part, after the Bot API (core.telegram.org/bots/api).
//! Must not decide about retries, and must let the bot's token into nothing that is kept or shown.

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
