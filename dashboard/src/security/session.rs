//! Sessions without a table: a signed expiry in a cookie. Changing the key or `SECRET_KEY` ends them all.

use std::time::Duration;

use domain::clock::{Millis, millis};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use platform::{config::Config, keys::Keys};
use sha2::Sha256;
use web::auth::Authenticator;

/// How long a session lives.
pub(crate) const SESSION: Duration = Duration::from_secs(12 * 3600);
const COOKIE: &str = "hookyard_session";

/// Who may see the pages: every caller when no key is configured.
pub(crate) struct Sessions {
    authenticator: Authenticator,
    signing: [u8; 32],
    secure: bool,
}

impl Sessions {
    /// Sessions that `ADMIN_API_KEY` opens. Cookies are `Secure` where `PUBLIC_URL` is https.
    pub(crate) fn new(config: &Config, keys: &Keys) -> Self {
        Self {
            authenticator: Authenticator::new(config.admin_api_key.as_ref()),
            signing: keys.session_key(),
            secure: config.public_url.scheme() == "https",
        }
    }

    /// Returns whether pages need a session.
    pub(crate) const fn are_required(&self) -> bool {
        self.authenticator.has_key()
    }

    /// Returns whether the request may see pages.
    pub(crate) fn admits(&self, headers: &HeaderMap, now: Millis) -> bool {
        let Some(key_hash) = self.authenticator.key_hash() else { return true };
        cookie(headers, COOKIE).is_some_and(|token| self.accepts(token, key_hash, now))
    }

    /// Returns whether the request carries the key itself, as programs do.
    pub(crate) fn admits_program(&self, headers: &HeaderMap) -> bool {
        self.authenticator.authenticate(headers).is_ok()
    }

    /// The `Set-Cookie` of a new session when `key` is the right one. Takes the same time for every wrong key.
    pub(crate) fn open(&self, key: &str, now: Millis) -> Option<String> {
        let key_hash = self.authenticator.key_hash()?;
        let is_right = self.authenticator.is_key(key.as_bytes());
        is_right.then(|| self.set_cookie(&self.token(key_hash, now), SESSION))
    }

    /// The `Set-Cookie` that ends a session.
    pub(crate) fn close(&self) -> String {
        self.set_cookie("", Duration::ZERO)
    }

    fn set_cookie(&self, token: &str, age: Duration) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{COOKIE}={token}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{secure}", age.as_secs())
    }

    /// `<expiry in ms>.<signature in hex>`
    fn token(&self, key_hash: &[u8; 32], now: Millis) -> String {
        let expiry = now.0.saturating_add(millis(SESSION));
        format!("{expiry}.{}", hex::encode(self.mac(key_hash, expiry).finalize().into_bytes()))
    }

    fn accepts(&self, token: &str, key_hash: &[u8; 32], now: Millis) -> bool {
        let Some((expiry, signature)) = token.split_once('.') else {
            return false;
        };
        let (Ok(expiry), Ok(signature)) = (expiry.parse::<i64>(), hex::decode(signature)) else {
            return false;
        };
        let in_time = now.0 < expiry && expiry <= now.0.saturating_add(millis(SESSION));
        in_time && self.mac(key_hash, expiry).verify_slice(&signature).is_ok()
    }

    fn mac(&self, key_hash: &[u8; 32], expiry: i64) -> Hmac<Sha256> {
        let mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&self.signing).expect("HMAC takes keys of any length");
        mac.chain_update(b"dashboard session").chain_update(key_hash).chain_update(expiry.to_be_bytes())
    }
}

/// The value of a cookie of the request.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(http::header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use platform::config::Secret;
    use web::auth::MAX_KEY;

    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn sessions(key: &str, secret: u8) -> Sessions {
        let authenticator = Authenticator::new(Some(&Secret::new(key)));
        Sessions { authenticator, signing: Keys::new(&[secret; 32]).session_key(), secure: false }
    }

    fn headers(set_cookie: &str) -> HeaderMap {
        let pair = set_cookie.split(';').next().expect("a first part");
        let line = format!("theme=dark; {pair}");
        HeaderMap::from_iter([(http::header::COOKIE, line.parse().expect("a header"))])
    }

    #[test]
    fn the_right_key_opens_a_session_of_twelve_hours() {
        let sessions = sessions("right", 1);
        let cookie = headers(&sessions.open("right", NOW).expect("the right key"));
        assert!(sessions.admits(&cookie, NOW));
        assert!(sessions.admits(&cookie, Millis(NOW.0 + 12 * 3_600_000 - 1)));
        assert!(!sessions.admits(&cookie, Millis(NOW.0 + 12 * 3_600_000)));
        assert!(!sessions.admits(&HeaderMap::new(), NOW));
    }

    #[test]
    fn a_wrong_key_opens_nothing() {
        for wrong in ["", "Right", "right ", &"x".repeat(MAX_KEY + 1)] {
            assert!(sessions("right", 1).open(wrong, NOW).is_none(), "{wrong}");
        }
        let longest = "x".repeat(MAX_KEY);
        assert!(sessions(&longest, 1).open(&longest, NOW).is_some());
    }

    #[test]
    fn another_key_another_secret_or_a_changed_token_end_the_session() {
        let set = sessions("right", 1).open("right", NOW).expect("the right key");
        assert!(!sessions("other", 1).admits(&headers(&set), NOW));
        assert!(!sessions("right", 2).admits(&headers(&set), NOW));
        let later = set.replacen("=17", "=18", 1);
        assert!(!sessions("right", 1).admits(&headers(&later), NOW));
        for bad in ["hookyard_session=", "hookyard_session=1.zz", "hookyard_session=9999999999999999999.00"] {
            assert!(!sessions("right", 1).admits(&headers(bad), NOW), "{bad}");
        }
    }

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let plain = sessions("right", 1);
        let set = plain.open("right", NOW).expect("the right key");
        assert!(set.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{set}");
        assert!(plain.close().starts_with("hookyard_session=; Path=/; Max-Age=0;"));
        let secure = Sessions { secure: true, ..plain };
        assert!(secure.close().ends_with("; Secure"));
    }

    #[test]
    fn without_a_key_every_caller_is_admitted() {
        let open = Sessions { authenticator: Authenticator::new(None), ..sessions("", 1) };
        assert!(open.admits(&HeaderMap::new(), NOW));
        assert!(open.open("", NOW).is_none());
    }
}
