//! Send: one attempt of one claimed delivery, and the decision on what follows. No transaction is open meanwhile.
//! Sends run on a tracker of their own and outlive the queue's worker; each records when *it* ends.

mod channels;
mod sender;
mod to_record;

pub use sender::Sender;

/// What the settings say of a channel can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The HTTP client can't be built.
    #[error(transparent)]
    Client(#[from] ::channels::OutboundError),
    /// The VAPID settings don't fit each other.
    #[error("VAPID_PRIVATE_KEY, VAPID_PUBLIC_KEY, VAPID_EMAIL: {0}")]
    Vapid(#[from] ::channels::web_push::VapidError),
    /// The bot's token or the address of its API.
    #[error("TELEGRAM_BOT_TOKEN, TELEGRAM_API_URL: {0}")]
    Bot(#[from] ::channels::BotError),
}
