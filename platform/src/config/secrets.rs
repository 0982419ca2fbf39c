//! Settings that are secrets. A wrong one is described, never shown.

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use domain::notification::ChatId;

use super::{
    env_reader::EnvReader,
    settings::default_of,
    types::{Secret, SecretKey, TelegramSettings, VapidSettings},
    urls,
};

/// Shortest `ADMIN_API_KEY`, in characters.
pub(super) const ADMIN_KEY_MIN: usize = 16;
/// Longest secret of any kind, in bytes.
const SECRET_MAX: usize = 1_024;
/// Length of an uncompressed P-256 point.
const POINT_LENGTH: usize = 65;

/// Accepts any secret text.
pub(super) fn text(text: &str) -> Result<Secret, String> {
    if text.len() > SECRET_MAX {
        Err(format!("is longer than {SECRET_MAX} bytes"))
    } else {
        Ok(Secret::new(text))
    }
}

/// Parses a key that clients send in a header: visible ASCII, too long to guess.
pub(super) fn admin_key(key: &str) -> Result<Secret, String> {
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be visible ASCII characters without spaces".into());
    }
    if key.len() < ADMIN_KEY_MIN {
        return Err(format!(
            "is shorter than {ADMIN_KEY_MIN} characters: make one with `openssl rand -hex 32`"
        ));
    }
    text(key)
}

/// Parses 32 bytes in base64, standard or URL-safe, with or without padding.
pub(super) fn secret_key(text: &str) -> Result<SecretKey, String> {
    const RULE: &str = "must be 32 bytes in base64: make one with `openssl rand -base64 32`";
    let bytes = decode(text).ok_or(format!("is not base64; {RULE}"))?;
    let length = bytes.len();
    bytes.try_into().map(SecretKey::new).map_err(|_| format!("is {length} bytes; {RULE}"))
}

/// Reads `VAPID_PRIVATE_KEY`, `VAPID_PUBLIC_KEY` and `VAPID_EMAIL`: all or none.
pub(super) fn vapid(reader: &mut EnvReader<'_>) -> Option<VapidSettings> {
    const NAMES: [&str; 3] = ["VAPID_PRIVATE_KEY", "VAPID_PUBLIC_KEY", "VAPID_EMAIL"];
    let missing = NAMES.map(|name| reader.text(name).is_none());
    if missing.contains(&false) {
        for (name, _) in NAMES.into_iter().zip(missing).filter(|(_, missing)| *missing) {
            reader.wrong(
                name,
                "is missing: web push needs VAPID_PRIVATE_KEY, VAPID_PUBLIC_KEY and VAPID_EMAIL",
            );
        }
    }
    let private_key = reader.optional(NAMES[0], vapid_private);
    let public_key = reader.optional(NAMES[1], vapid_public);
    let contact = reader.optional(NAMES[2], contact);
    Some(VapidSettings { private_key: private_key?, public_key: public_key?, contact: contact? })
}

fn vapid_private(text: &str) -> Result<Secret, String> {
    match decode(text).map(|bytes| bytes.len()) {
        Some(32) => Ok(Secret::new(text)),
        _ => Err("must be the 32 bytes of a P-256 private key in base64url".into()),
    }
}

fn vapid_public(text: &str) -> Result<String, String> {
    match decode(text) {
        Some(bytes) if bytes.len() == POINT_LENGTH && bytes[0] == 4 => {
            Ok(base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes))
        }
        _ => Err("must be the 65 bytes of an uncompressed P-256 public key in base64url".into()),
    }
}

/// Parses a contact that push services accept: they reject every message whose contact has an unreachable host.
fn contact(text: &str) -> Result<String, String> {
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    let (contact, host) = match text.split_once("://") {
        Some(("https", rest)) if !rest.is_empty() => (text.to_owned(), host_of(text)),
        None if !address.contains(char::is_whitespace) => {
            let host = address.rsplit_once('@').map(|(_, host)| host.to_ascii_lowercase());
            (format!("mailto:{address}"), host)
        }
        _ => (String::new(), None),
    };
    match host {
        Some(host) if is_reachable(&host) => Ok(contact),
        Some(_) => Err(format!("{text:?} is refused by push services: its host is not one of the internet")),
        None => Err(format!("{text:?} is neither an e-mail address nor an https URL")),
    }
}

fn host_of(text: &str) -> Option<String> {
    text.parse::<url::Url>().ok()?.host_str().map(str::to_ascii_lowercase)
}

/// Whether a host name can be public: it has a dot, and its last label is not reserved (RFC 2606, 6761).
fn is_reachable(host: &str) -> bool {
    const RESERVED: [&str; 4] = ["localhost", "invalid", "local", "internal"];
    let last = host.trim_end_matches('.').rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| !RESERVED.contains(&last))
}

/// Reads `TELEGRAM_BOT_TOKEN` with its chat and its API.
pub(super) fn telegram(reader: &mut EnvReader<'_>) -> Option<TelegramSettings> {
    let chat_id = reader.optional("TELEGRAM_CHAT_ID", chat_id);
    let api_url = reader.or("TELEGRAM_API_URL", default_of("TELEGRAM_API_URL").to_owned(), |text| {
        urls::base(text).map(|url| url.as_str().trim_end_matches('/').to_owned())
    });
    if chat_id.is_some() && reader.text("TELEGRAM_BOT_TOKEN").is_none() {
        reader.wrong("TELEGRAM_BOT_TOKEN", "is missing: TELEGRAM_CHAT_ID is set");
    }
    let bot_token = reader.optional("TELEGRAM_BOT_TOKEN", bot_token)?;
    Some(TelegramSettings { bot_token, chat_id, api_url })
}

fn bot_token(token: &str) -> Result<Secret, String> {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
    if token.len() > 128 || !token.chars().all(valid) || !token.contains(':') {
        return Err("is not a bot token like 123456:letters".into());
    }
    Ok(Secret::new(token))
}

fn chat_id(text: &str) -> Result<String, String> {
    let chat =
        ChatId::parse(text).map_err(|_| format!("{text:?} is neither a number nor a name like @channel"))?;
    Ok(chat.to_string())
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    GeneralPurpose::new(&alphabet, config).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_key_is_32_bytes_in_either_base64() {
        let bytes = [0xfb; 32];
        let standard = base64::prelude::BASE64_STANDARD.encode(bytes);
        let url_safe = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes);
        assert_ne!(standard, url_safe);
        assert_eq!(secret_key(&standard), Ok(SecretKey::new(bytes)));
        assert_eq!(secret_key(&url_safe), Ok(SecretKey::new(bytes)));
        let short = base64::prelude::BASE64_STANDARD.encode([1; 31]);
        assert!(
            secret_key(&short)
                .is_err_and(|wrong| wrong.starts_with("is 31 bytes") && !wrong.contains(&short))
        );
        assert!(secret_key("not base64 at all").is_err_and(|wrong| wrong.starts_with("is not base64")));
    }

    #[test]
    fn an_admin_key_has_16_characters_at_least() {
        assert!(admin_key(&"k".repeat(16)).is_ok());
        assert!(admin_key(&"k".repeat(15)).is_err_and(|wrong| wrong.starts_with("is shorter than 16")));
        assert!(admin_key("sixteen chars and space").is_err());
        assert!(admin_key(&"k".repeat(SECRET_MAX)).is_ok());
        assert!(admin_key(&"k".repeat(SECRET_MAX + 1)).is_err());
    }

    #[test]
    fn a_contact_becomes_a_url() {
        assert_eq!(contact("a@b.example"), Ok("mailto:a@b.example".into()));
        assert_eq!(contact("mailto:a@b.example"), Ok("mailto:a@b.example".into()));
        assert_eq!(contact("https://b.example"), Ok("https://b.example".into()));
        for bad in ["b.example", "http://b.example", "mailto:b", "a @b"] {
            assert!(contact(bad).is_err(), "{bad}");
        }
        for refused in [
            "me@localhost",
            "mailto:a@b.invalid",
            "a@B.LOCALHOST",
            "a@host",
            "https://localhost/x",
            "https://a.invalid",
        ] {
            let wrong = contact(refused).expect_err(refused);
            assert!(wrong.contains("refused by push services"), "{wrong}");
        }
    }

    #[test]
    fn a_chat_is_a_number_or_a_name() {
        for good in ["-100123", "42", "@channel_1"] {
            assert!(chat_id(good).is_ok(), "{good}");
        }
        for bad in ["channel", "@", "@a b"] {
            assert!(chat_id(bad).is_err(), "{bad}");
        }
    }
}
