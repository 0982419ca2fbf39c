//! Who calls, and what they may do. Keys are compared as hashes, in constant time, and never shown.

mod permission;

use domain::problem::ProblemCode;
use entity::scope::Scope;
use http::{HeaderMap, header::AUTHORIZATION};
use platform::config::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub(crate) use permission::{Administrator, Manager, Publisher, Reader};

/// Longest key that is looked at, in bytes.
const MAX_KEY: usize = 1_024;
const API_KEY: http::HeaderName = http::HeaderName::from_static("x-api-key");

/// The lock on every route that DESIGN does not leave open.
pub(crate) struct Lock {
    admin: Option<[u8; 32]>,
}

/// Somebody who may come in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// Whose things the caller may see.
    pub(crate) scope: Scope,
    /// What the caller may do with them.
    pub(crate) rights: &'static [Right],
}

/// What a key may be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Look.
    Read,
    /// Bring work in.
    Publish,
    /// Register, change and look at secrets.
    Manage,
}

impl Caller {
    /// The administrator, or anybody where no key is set.
    const ADMIN: Self =
        Self { scope: Scope::Everyone, rights: &[Right::Read, Right::Publish, Right::Manage] };
}

impl Lock {
    /// Without a key the door is open.
    pub(crate) fn new(admin: Option<&Secret>) -> Self {
        Self { admin: admin.map(|key| hash(key.expose().as_bytes())) }
    }

    /// Whether there is a key at all.
    pub(crate) const fn is_set(&self) -> bool {
        self.admin.is_some()
    }

    /// Who calls with these headers.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Result<Caller, ProblemCode> {
        let Some(admin) = &self.admin else {
            return Ok(Caller::ADMIN);
        };
        // One key a request: a list of them would be as many guesses for the price of one.
        let mut keys = presented(headers);
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return Err(ProblemCode::Unauthorized);
        };
        if bool::from(hash(key).ct_eq(admin)) { Ok(Caller::ADMIN) } else { Err(ProblemCode::Unauthorized) }
    }
}

/// Whether the caller shows any key, right or wrong.
pub(crate) fn shows_a_key(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY)
}

/// The keys that the caller shows: `Authorization: Bearer …` and `X-API-Key`.
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
    use super::*;

    fn opens(headers: &[(&'static str, &str)]) -> bool {
        let lock = Lock::new(Some(&Secret::new("correct horse battery")));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header value"));
        }
        lock.caller(&map).is_ok()
    }

    #[test]
    fn the_key_opens_by_either_header_and_nothing_else_does() {
        assert!(opens(&[("authorization", "Bearer correct horse battery")]));
        assert!(opens(&[("authorization", "bEARER   correct horse battery ")]));
        assert!(opens(&[("x-api-key", "correct horse battery")]));
        assert!(opens(&[("authorization", "Basic Zm9v"), ("x-api-key", "correct horse battery")]));
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
    fn a_request_shows_one_key_and_no_list_of_guesses() {
        let key = "correct horse battery";
        assert!(!opens(&[("x-api-key", "a wrong one"), ("x-api-key", key)]));
        assert!(!opens(&[("authorization", "Bearer a wrong one"), ("x-api-key", key)]));
        assert!(
            !opens(&[("authorization", &format!("Bearer {key}")), ("x-api-key", key)]),
            "not even twice the right one"
        );
    }

    #[test]
    fn a_key_at_the_bound_is_looked_at_and_a_longer_one_is_not() {
        let key = "k".repeat(MAX_KEY);
        let lock = Lock::new(Some(&Secret::new(key.clone())));
        let by = |key: &str| HeaderMap::from_iter([(API_KEY, key.parse().expect("a header value"))]);
        assert!(lock.caller(&by(&key)).is_ok());
        let longer = key + "k";
        let lock = Lock::new(Some(&Secret::new(longer.clone())));
        assert!(lock.caller(&by(&longer)).is_err());
    }

    #[test]
    fn without_a_key_the_door_is_open() {
        assert!(Lock::new(None).caller(&HeaderMap::new()).is_ok());
    }
}
