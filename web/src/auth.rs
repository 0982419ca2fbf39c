//! The administrator's key on requests. Keys are compared as hashes, in constant time, and never shown.

use std::net::IpAddr;

use axum::extract::Request;
use http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use platform::config::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::peer::Peer;

/// Longest key that is compared, in bytes.
pub const MAX_KEY: usize = 1_024;
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A request carries no key, a wrong one, or more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthenticated;

/// Checks requests against `ADMIN_API_KEY`; without a key every request is authentic.
pub struct Authenticator {
    key_hash: Option<[u8; 32]>,
}

impl Authenticator {
    /// Checks against `key`, if one is configured.
    #[must_use]
    pub fn new(key: Option<&Secret>) -> Self {
        Self { key_hash: key.map(|key| hash(key.expose().as_bytes())) }
    }

    /// Returns whether a key is configured.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        self.key_hash.is_some()
    }

    /// The SHA-256 of the key, to bind sessions to it.
    #[must_use]
    pub const fn key_hash(&self) -> Option<&[u8; 32]> {
        self.key_hash.as_ref()
    }

    /// Checks the one key of a request: `Authorization: Bearer …` or `X-API-Key`.
    ///
    /// # Errors
    /// [`Unauthenticated`] when a key is configured and the request does not carry exactly that one, once.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<(), Unauthenticated> {
        if !self.has_key() {
            return Ok(());
        }
        // One key a request: a list of them would be as many guesses for the price of one.
        let mut keys = presented(headers);
        match (keys.next(), keys.next()) {
            (Some(key), None) if self.is_key(key) => Ok(()),
            _ => Err(Unauthenticated),
        }
    }

    /// Returns whether `key` is the configured key; false when there is none. Takes the same time for every wrong key.
    #[must_use]
    pub fn is_key(&self, key: &[u8]) -> bool {
        let fits = |expected: &[u8; 32]| bool::from(hash(key).ct_eq(expected)) && key.len() <= MAX_KEY;
        self.key_hash.as_ref().is_some_and(fits)
    }

    /// The address that rate limits count a request by. `None` exempts it: the caller is authenticated, or calls from
    /// loopback when no key is configured.
    #[must_use]
    pub fn counted_address(&self, request: &Request) -> Option<IpAddr> {
        let address = Peer::address_of(request)?;
        let is_exempt = match self.has_key() {
            true => self.authenticate(request.headers()).is_ok(),
            false => address.to_canonical().is_loopback(),
        };
        (!is_exempt).then_some(address)
    }
}

/// Returns whether a request carries any key, right or wrong.
#[must_use]
pub fn carries_a_key(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY)
}

/// The keys of a request: `Authorization: Bearer …` and `X-API-Key`.
fn presented(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, key) = value.as_bytes().split_at_checked(b"Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then(|| key.trim_ascii())
    });
    let plain = headers.get_all(API_KEY).iter().map(|value| value.as_bytes().trim_ascii());
    bearer.chain(plain).filter(|key| key.len() <= MAX_KEY)
}

fn hash(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const KEY: &str = "correct horse battery";

    fn authenticator(key: &str) -> Authenticator {
        Authenticator::new(Some(&Secret::new(key)))
    }

    fn opens(headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header value"));
        }
        authenticator(KEY).authenticate(&map).is_ok()
    }

    #[test]
    fn the_key_opens_by_either_header_and_nothing_else_does() {
        assert!(opens(&[("authorization", "Bearer correct horse battery")]));
        assert!(opens(&[("authorization", "bEARER   correct horse battery ")]));
        assert!(opens(&[("x-api-key", KEY)]));
        assert!(opens(&[("authorization", "Basic Zm9v"), ("x-api-key", KEY)]));
        assert!(!opens(&[]));
        for wrong in ["", "correct horse batter", "correct horse battery2", "CORRECT HORSE BATTERY"] {
            assert!(!opens(&[("x-api-key", wrong)]), "{wrong}");
            assert!(!opens(&[("authorization", &format!("Bearer {wrong}"))]), "{wrong}");
        }
        for wrong in
            ["correct horse battery", "Basic correct horse battery", "Bearercorrect horse battery", "Bearer"]
        {
            assert!(!opens(&[("authorization", wrong)]), "{wrong}");
        }
    }

    #[test]
    fn a_request_carries_one_key_and_no_list_of_guesses() {
        assert!(!opens(&[("x-api-key", "a wrong one"), ("x-api-key", KEY)]));
        assert!(!opens(&[("authorization", "Bearer a wrong one"), ("x-api-key", KEY)]));
        let twice = [("authorization", &*format!("Bearer {KEY}")), ("x-api-key", KEY)];
        assert!(!opens(&twice), "not even twice the right one");
    }

    #[test]
    fn a_key_at_the_bound_is_compared_and_a_longer_one_is_not() {
        for (length, fits) in [(MAX_KEY, true), (MAX_KEY + 1, false)] {
            let key = "k".repeat(length);
            let headers = HeaderMap::from_iter([(API_KEY, key.parse().expect("a header value"))]);
            assert_eq!(authenticator(&key).authenticate(&headers).is_ok(), fits, "{length}");
            assert_eq!(authenticator(&key).is_key(key.as_bytes()), fits, "{length}");
        }
    }

    #[test]
    fn without_a_key_every_request_is_authentic_and_no_key_is_the_one() {
        let open = Authenticator::new(None);
        assert!(open.authenticate(&HeaderMap::new()).is_ok());
        assert!(!open.is_key(b""));
    }

    #[test]
    fn callers_with_the_key_are_exempt_and_loopback_is_where_there_is_none() {
        let counted = |authenticator: &Authenticator, peer: &str, key: &str| {
            let mut request = Request::builder().header(API_KEY, key).body(Body::empty()).expect("a request");
            request.extensions_mut().insert(Peer(peer.parse().expect("an address")));
            authenticator.counted_address(&request).is_some()
        };
        let (keyed, open) = (authenticator(KEY), Authenticator::new(None));
        assert!(!counted(&keyed, "192.0.2.1:1", KEY) && counted(&keyed, "127.0.0.1:1", "wrong"));
        assert!(counted(&open, "192.0.2.1:1", KEY) && !counted(&open, "[::ffff:127.0.0.1]:1", "wrong"));
        let direct = Request::builder().body(Body::empty()).expect("a request");
        assert_eq!(keyed.counted_address(&direct), None);
    }
}
