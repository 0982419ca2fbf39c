//! Rate limits by address: a burst at once, then one request each interval (GCRA, by `governor`). What is remembered is
//! bounded by the store below it.

mod states;

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware, nanos::Nanos};
use platform::clock::Clock;

use self::states::States;
use crate::peer::network;

/// Most addresses that a limit remembers unless it says otherwise; further ones share one count.
const ADDRESSES: usize = 4_096;

/// How often an address may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How often at once.
    pub burst: NonZeroU32,
    /// The interval at which it may do so once more after a burst; above zero.
    pub every: Duration,
    /// Most addresses remembered; further ones share one count.
    pub addresses: usize,
}

impl Rate {
    /// Wrong keys: 10 at once, then 10 a minute.
    pub const WRONG_KEYS: Self = Self::new(10, Duration::from_secs(6));

    /// `burst` at once, at least 1, then one each `every`.
    #[must_use]
    pub const fn new(burst: u32, every: Duration) -> Self {
        let burst = match NonZeroU32::new(burst) {
            Some(burst) => burst,
            None => NonZeroU32::MIN,
        };
        Self { burst, every, addresses: ADDRESSES }
    }
}

/// What each address has used up of a rate. An IPv6 /64 network is one address.
pub struct RateLimit<C: GovernorClock = Monotonic> {
    limiter: RateLimiter<IpAddr, States, C, NoOpMiddleware<C::Instant>>,
    states: States,
}

/// The monotonic time of the process' clock: a system clock that is set back locks no caller out.
#[derive(Clone)]
pub struct Monotonic(Clock);

impl GovernorClock for Monotonic {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

impl RateLimit {
    /// Nothing is used up.
    #[must_use]
    pub fn new(rate: Rate, clock: &Clock) -> Self {
        Self::with_clock(rate, Monotonic(clock.clone()))
    }
}

impl<C: GovernorClock> RateLimit<C> {
    fn with_clock(rate: Rate, clock: C) -> Self {
        // An interval of zero is no quota; the shortest that is one comes next to it.
        let every = rate.every.max(Duration::from_nanos(1));
        let quota = Quota::with_period(every).expect("the interval is above zero").allow_burst(rate.burst);
        let states = States::new(rate.addresses, every.into());
        Self { limiter: RateLimiter::new(quota, states.clone(), clock), states }
    }

    /// Counts one request of `address`.
    ///
    /// # Errors
    /// The time after which the address may make one, when it has used up its rate.
    pub fn check(&self, address: IpAddr) -> Result<(), Duration> {
        let now = self.limiter.clock().now();
        self.limiter.check_key(&network(address)).map_err(|not_until| not_until.wait_time_from(now))
    }

    /// Forgets what `address` has used up.
    pub fn forget(&self, address: IpAddr) {
        self.states.forget(network(address));
    }
}

/// A time to wait in whole seconds, at least one, as `Retry-After` has it.
#[must_use]
pub fn retry_after(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests;
