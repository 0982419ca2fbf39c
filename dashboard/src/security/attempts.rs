//! How many wrong keys an address may try at the login. Never keeps out who has the right one.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use domain::clock::Millis;

/// Wrong keys that an address may try within a window.
pub(crate) const WRONG_KEYS: u32 = 10;
/// How long wrong keys count, in ms.
const WINDOW_MS: i64 = 60_000;
/// Most addresses remembered; beyond, all of them share one count.
const ADDRESSES: usize = 1_024;

/// Wrong keys by address.
#[derive(Default)]
pub(crate) struct LoginAttempts {
    wrong: Mutex<HashMap<Option<IpAddr>, Window>>,
}

#[derive(Clone, Copy)]
struct Window {
    since: Millis,
    wrong: u32,
}

impl LoginAttempts {
    /// Counts a wrong key of `address`; whether it is told so, rather than to wait. A right key takes all of them back
    /// by [`LoginAttempts::forget`].
    pub(crate) fn count(&self, address: Option<IpAddr>, now: Millis) -> bool {
        let mut all = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |window: &Window| now.0.abs_diff(window.since.0) >= WINDOW_MS.unsigned_abs();
        if all.len() >= ADDRESSES {
            all.retain(|_, window| !is_over(window));
        }
        let full = all.len() >= ADDRESSES;
        let who = address.map(network).filter(|address| !full || all.contains_key(&Some(*address)));
        let window = all.entry(who).or_insert(Window { since: now, wrong: 0 });
        if is_over(window) {
            *window = Window { since: now, wrong: 0 };
        }
        window.wrong = window.wrong.saturating_add(1);
        window.wrong <= WRONG_KEYS
    }

    /// Forgets the wrong keys of an address that had the right one.
    pub(crate) fn forget(&self, address: Option<IpAddr>) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).remove(&address.map(network));
    }
}

/// An IPv6 customer has a whole /64 to try from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn the_eleventh_wrong_key_within_a_minute_is_refused() {
        let attempts = LoginAttempts::default();
        let tries = |at| attempts.count(ip("192.0.2.1"), Millis(at));
        assert!((0..10).all(|_| tries(0)));
        assert!(!tries(59_999));
        assert!(attempts.count(ip("192.0.2.2"), Millis(59_999)), "another address is not hurt");
        assert!(tries(60_000));
    }

    #[test]
    fn a_right_key_wipes_the_slate() {
        let attempts = LoginAttempts::default();
        assert!((0..10).all(|_| attempts.count(None, Millis(0))));
        attempts.forget(None);
        assert!(attempts.count(None, Millis(0)));
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one() {
        let attempts = LoginAttempts::default();
        assert!((0..10).all(|n| attempts.count(ip(&format!("2001:db8::{n}")), Millis(0))));
        assert!(!attempts.count(ip("2001:db8::ffff"), Millis(0)));
        assert!(attempts.count(ip("2001:db8:0:1::1"), Millis(0)));
    }

    #[test]
    fn memory_is_bounded_and_the_overflow_shares_one_count() {
        let attempts = LoginAttempts::default();
        for n in 0..5_000_u32 {
            attempts.count(Some(IpAddr::from(n.to_be_bytes())), Millis(0));
        }
        assert!(attempts.wrong.lock().expect("whole").len() <= ADDRESSES + 1);
        assert!(!attempts.count(ip("203.0.113.9"), Millis(1)));
        assert!(attempts.count(ip("203.0.113.9"), Millis(60_000)), "windows end");
    }
}
