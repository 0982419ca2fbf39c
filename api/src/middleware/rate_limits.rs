//! The rate limits of the API, by address.

use std::time::Duration;

use platform::clock::Clock;
use web::middleware::{Rate, RateLimit};

/// Requests to public routes: 200 at once, then 50 a second.
const PUBLIC: Rate = Rate::new(200, Duration::from_millis(20));
/// Push messages that an address may ask for to test its subscription: 10 at once, then 10 a minute.
const PUSH_TESTS: Rate = Rate::new(10, Duration::from_secs(6));
/// The day over which the new push subscriptions of an address are bounded, in ms.
const DAY_MS: u64 = 24 * 3_600 * 1_000;
/// Most addresses that have subscribed; each is remembered for up to a day.
const SUBSCRIBING_ADDRESSES: usize = 65_536;

/// What each address has used up.
pub(crate) struct RateLimits {
    pub(super) public: RateLimit,
    pub(super) wrong_keys: RateLimit,
    pub(super) push_tests: RateLimit,
    /// New push subscriptions.
    pub(crate) subscriptions: RateLimit,
}

impl RateLimits {
    /// Nothing is used up. An address may make `subscriptions_per_day` new push subscriptions at once, and as many again
    /// over a day.
    pub(crate) fn new(subscriptions_per_day: u32, clock: &Clock) -> Self {
        Self {
            public: RateLimit::new(PUBLIC, clock),
            wrong_keys: RateLimit::new(Rate::WRONG_KEYS, clock),
            push_tests: RateLimit::new(PUSH_TESTS, clock),
            subscriptions: RateLimit::new(subscriptions(subscriptions_per_day), clock),
        }
    }
}

fn subscriptions(per_day: u32) -> Rate {
    let every = Duration::from_millis(DAY_MS / u64::from(per_day.max(1)));
    Rate { addresses: SUBSCRIBING_ADDRESSES, ..Rate::new(per_day, every) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_subscriptions_of_an_address_are_bounded_by_the_day() {
        for (per_day, every_ms) in [(1, DAY_MS), (100, DAY_MS / 100), (1_000_000, 86)] {
            let rate = subscriptions(per_day);
            assert_eq!((rate.burst.get(), rate.every), (per_day, Duration::from_millis(every_ms)));
            assert_eq!(rate.addresses, SUBSCRIBING_ADDRESSES);
        }
    }
}
