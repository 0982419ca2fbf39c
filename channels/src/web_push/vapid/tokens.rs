//! VAPID tokens, one per origin, signed once and cached for half of their lifetime.
//! An ECDSA signature costs as much as encrypting many messages.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::clock::Millis;
use http::HeaderValue;
use serde::Serialize;

use super::keys::VapidKeys;

/// Lifetime of a token: half of the maximum (RFC 8292 §2), so that a push service whose clock is hours behind still accepts
/// it.
pub(super) const VALID: Duration = Duration::from_secs(12 * 3_600);
/// How long a token is used; the rest of its lifetime covers clocks that are ahead.
pub(super) const USED: Duration = Duration::from_secs(6 * 3_600);
/// Most cached tokens; the cache is cleared when more origins are in use.
pub(super) const KEPT: usize = 1_000;
/// `{"typ":"JWT","alg":"ES256"}`.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9";

/// Signs tokens and caches them by origin.
pub(in crate::web_push) struct Tokens {
    keys: VapidKeys,
    kept: Mutex<HashMap<String, Token>>,
    most: usize,
}

struct Token {
    made_at: Millis,
    authorization: HeaderValue,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    sub: &'a str,
}

impl Tokens {
    pub(in crate::web_push) fn new(keys: VapidKeys) -> Self {
        Self::with_bound(keys, KEPT)
    }

    fn with_bound(keys: VapidKeys, most: usize) -> Self {
        Self { keys, kept: Mutex::default(), most }
    }

    /// Returns the `authorization` value for a push service: `vapid t=…, k=…`, marked as sensitive.
    pub(in crate::web_push) fn authorization(&self, origin: &str, now: Millis) -> HeaderValue {
        // Held while signing, so that only one of many sends signs a new token.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = kept.get(origin).filter(|token| token.is_fresh(now)) {
            return token.authorization.clone();
        }
        if kept.len() >= self.most {
            kept.clear();
        }
        let authorization = self.signed(origin, now);
        kept.insert(origin.to_owned(), Token { made_at: now, authorization: authorization.clone() });
        authorization
    }

    fn signed(&self, origin: &str, now: Millis) -> HeaderValue {
        let claims = Claims { aud: origin, exp: (now + VALID).seconds(), sub: self.keys.contact() };
        let claims = serde_json::to_vec(&claims).expect("strings and a number are always written");
        let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.keys.sign(&signed));
        let text = format!("vapid t={signed}.{signature}, k={}", self.keys.public());
        let mut value = HeaderValue::try_from(text).expect("base64url is a value");
        value.set_sensitive(true);
        value
    }
}

impl Token {
    /// Also not when it was made long after `now`: then the clock was put back, and it would be valid for too long.
    const fn is_fresh(&self, now: Millis) -> bool {
        (now.0.abs_diff(self.made_at.0) as u128) < USED.as_millis()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("keys", &self.keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
