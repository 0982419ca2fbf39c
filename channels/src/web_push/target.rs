//! The push subscription of one browser: its URL and keys.
//! The URL and `auth` are shared secrets of browser, push service and us: `Debug` shows the origin only.

use std::fmt;

use domain::endpoint::{EndpointUrl, MAX_URL_CHARS, UrlError};
use p256::PublicKey;
use url::Url;
use zeroize::Zeroizing;

use crate::answer::Redactor;

/// Bytes of a browser's public key: an uncompressed point (SEC 1 §2.3.3).
pub const KEY_BYTES: usize = 65;
/// Bytes of a browser's authentication secret (RFC 8291 §3.2).
pub const AUTH_BYTES: usize = 16;
/// The first byte of an uncompressed point.
const UNCOMPRESSED: u8 = 4;
/// Shortest path of a URL, and shortest word in it, that are treated as secret.
const MIN_SECRET: [usize; 2] = [8, 16];

/// The URL and the keys of one browser's subscription.
pub struct PushTarget {
    pub(super) url: Url,
    pub(super) origin: String,
    pub(super) key: PublicKey,
    pub(super) key_bytes: [u8; KEY_BYTES],
    pub(super) auth: Zeroizing<[u8; AUTH_BYTES]>,
}

/// Which member of a subscription is invalid, and why. Never contains any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushTargetError {
    /// The endpoint violates a rule for URLs.
    #[error("endpoint {0}")]
    Endpoint(#[from] UrlError),
    /// `p256dh` is not a point on the curve, or not uncompressed.
    #[error("p256dh must be an uncompressed point on P-256 ({KEY_BYTES} bytes)")]
    Key,
    /// `auth` has the wrong length.
    #[error("auth must be {AUTH_BYTES} bytes")]
    Auth,
}

impl PushTarget {
    /// Validates a subscription: `endpoint` is an http or https URL under the rules of registered webhooks, at most
    /// [`MAX_URL_CHARS`] bytes as it is sent; `p256dh` an uncompressed point on P-256; `auth` [`AUTH_BYTES`] bytes.
    ///
    /// # Errors
    /// Names the first invalid member.
    pub fn new(endpoint: &str, p256dh: &[u8], auth: &[u8]) -> Result<Self, PushTargetError> {
        let url = EndpointUrl::parse(endpoint)?.url().clone();
        if url.as_str().len() > MAX_URL_CHARS {
            return Err(UrlError::TooLong.into());
        }
        let key_bytes: [u8; KEY_BYTES] = p256dh.try_into().map_err(|_| PushTargetError::Key)?;
        if key_bytes[0] != UNCOMPRESSED {
            return Err(PushTargetError::Key);
        }
        let key = PublicKey::from_sec1_bytes(&key_bytes).map_err(|_| PushTargetError::Key)?;
        let auth = Zeroizing::new(auth.try_into().map_err(|_| PushTargetError::Auth)?);
        Ok(Self { origin: url.origin().ascii_serialization(), url, key, key_bytes, auth })
    }

    /// Returns `scheme://host`, with the port unless it is the default: the audience of the signature, and the lane.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origin.clone()
    }

    /// Returns the URL that messages are sent to. A secret.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the URL as text for storage.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the redactor of what push services may echo: the whole path, and each long word of it, since they escape the
    /// characters between differently.
    pub(super) fn redactor(&self) -> Redactor {
        let path = &self.url[url::Position::BeforePath..url::Position::AfterQuery];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let words = path.split(|c| !is_part(c)).filter(|word| word.len() >= MIN_SECRET[1]);
        let whole = (path.len() >= MIN_SECRET[0]).then_some(path);
        Redactor::new(whole.into_iter().chain(words).map(str::to_owned))
    }
}

impl fmt::Debug for PushTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushTarget").field("origin", &self.origin).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
