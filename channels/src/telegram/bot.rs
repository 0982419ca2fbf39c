//! The Telegram bot: its id, and the URL that contains its token.
//! The token is a password inside a URL: responses are redacted before they are stored.

use std::{fmt, sync::Arc};

use url::Url;

use crate::answer::Redactor;

/// Longest token, in characters, as in `TELEGRAM_BOT_TOKEN`.
pub const MAX_TOKEN: usize = 128;

/// A bot at an API. Cheap to clone; `Debug` shows neither token nor address.
#[derive(Clone)]
pub struct Bot {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    redactor: Redactor,
    send_message: Url,
}

/// The token or the URL of a bot is invalid. Does not contain either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BotError {
    /// The token has no colon, nothing before or after it, odd characters, or more than [`MAX_TOKEN`].
    #[error("the token is not one like 123456:letters")]
    Token,
    /// The address is not `http` or `https`, or it carries a user, a query or a fragment.
    #[error("the address of the API is not a plain http or https URL")]
    ApiUrl,
}

impl Bot {
    /// Creates the bot of `token` at the API with the base URL `api_url`; a trailing slash is optional.
    ///
    /// # Errors
    /// When the token or the URL is invalid.
    pub fn new(token: &str, api_url: &str) -> Result<Self, BotError> {
        let (name, secret) = split_token(token).ok_or(BotError::Token)?;
        let base = api_url.parse().ok().filter(is_plain).ok_or(BotError::ApiUrl)?;
        let address = format!("{}/bot{token}/sendMessage", Url::as_str(&base).trim_end_matches('/'));
        let send_message = address.parse().map_err(|_| BotError::ApiUrl)?;
        let redactor = Redactor::new([secret.to_owned()]);
        let inner = Inner { name: name.to_owned(), redactor, send_message };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns the part of the token before the colon: the bot's user id, which is not secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns the URL that messages are posted to. Contains the token.
    pub(super) fn send_message(&self) -> Url {
        self.inner.send_message.clone()
    }

    /// Returns the redactor of the part of the token after the colon, which has only one spelling in a URL.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.inner.redactor
    }
}

/// Splits a token into name and secret.
fn split_token(token: &str) -> Option<(&str, &str)> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
    let fits = token.len() <= MAX_TOKEN && token.chars().all(is_plain);
    token.split_once(':').filter(|(name, secret)| fits && !name.is_empty() && !secret.is_empty())
}

fn is_plain(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot").field("name", &self.inner.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "123456:AAbb-CC_dd";

    #[test]
    fn a_bot_knows_its_name_and_its_address_and_shows_no_secret() {
        for api in ["https://api.telegram.org", "https://api.telegram.org/", "https://api.telegram.org//"] {
            let bot = Bot::new(TOKEN, api).expect("a bot");
            assert_eq!(bot.name(), "123456");
            let address = "https://api.telegram.org/bot123456:AAbb-CC_dd/sendMessage";
            assert_eq!(bot.send_message().as_str(), address);
            let shown = format!("{bot:?}");
            assert!(!shown.contains("AAbb") && !shown.contains("telegram.org"), "{shown}");
        }
        let below = Bot::new(TOKEN, "http://127.0.0.1:8081/telegram/").expect("a bot");
        assert_eq!(below.send_message().path(), "/telegram/bot123456:AAbb-CC_dd/sendMessage");
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_repeated() {
        let longest = format!("1:{}", "x".repeat(MAX_TOKEN - 2));
        assert!(Bot::new(&longest, "http://a.example").is_ok());
        let too_long = format!("{longest}x");
        for token in ["", ":", "1:", ":secret", "secret", "1:se/cret", "1:se cret", "1:sécret", &too_long] {
            let error = Bot::new(token, "http://a.example").expect_err(token);
            assert_eq!(error, BotError::Token);
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn an_address_is_http_and_nothing_but_a_place() {
        for url in ["", "api.telegram.org", "ftp://a.example", "http://", "unix:/run/x", "http://u@a.example"]
        {
            assert_eq!(Bot::new(TOKEN, url).expect_err(url), BotError::ApiUrl);
        }
        for url in ["http://:p@a.example", "http://a.example/?x=1", "http://a.example/#x"] {
            assert_eq!(Bot::new(TOKEN, url).expect_err(url), BotError::ApiUrl);
        }
    }
}
