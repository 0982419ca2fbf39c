//! The types of settings that are more than a number or a path. Secrets among them never show their value.

use std::{fmt, ops::Deref};

use zeroize::Zeroizing;

/// A secret text. `Debug` prints `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself; never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The 32 bytes of `SECRET_KEY`, from which [`crate::keys::Keys`] derives every key. `Debug` prints `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// Wraps the bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A key of 32 random bytes.
    #[must_use]
    pub fn random() -> Self {
        Self::new(rand::random())
    }
}

/// The bytes themselves; never log them.
impl Deref for SecretKey {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The URL of Redis, with its password. `Debug` prints `…`; derefs to the URL itself for clients that connect.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(Zeroizing<String>);

impl RedisUrl {
    pub(super) fn new(url: &str) -> Self {
        Self(Zeroizing::new(url.to_owned()))
    }
}

impl Deref for RedisUrl {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The role of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything in one process, with defaults that need no setting.
    AllInOne,
    /// The HTTP APIs; workers run as separate processes.
    Api,
    /// The jobs and the dashboard; the API runs as separate processes.
    Worker,
}

impl Role {
    /// Returns `all_in_one` for the all-in-one process and `apart` for separate API and worker processes.
    pub(super) fn pick<T>(self, all_in_one: T, apart: T) -> T {
        if self == Self::AllInOne { all_in_one } else { apart }
    }
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Which browser origins may read answers, never with credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Every origin, on the notifications API only: the default of the all-in-one process.
    AnyForNotifications,
    /// No origin: the default elsewhere.
    NoOrigin,
    /// Every origin on every API: `*`.
    Any,
    /// These origins on every API, as browsers send them: `https://app.example.com`.
    These(Vec<String>),
}

/// The VAPID keys that sign web push, all three or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VapidSettings {
    /// The private scalar: 32 bytes as base64url.
    pub private_key: Secret,
    /// The uncompressed public point: 65 bytes as base64url without padding.
    pub public_key: String,
    /// The contact as a URL: `mailto:…` or `https://…`.
    pub contact: String,
}

/// The Telegram bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramSettings {
    /// The bot's token.
    pub bot_token: Secret,
    /// A chat that gets every message, beside the subscribers.
    pub chat_id: Option<String>,
    /// The base URL of the Bot API, without a slash at the end.
    pub api_url: String,
}
