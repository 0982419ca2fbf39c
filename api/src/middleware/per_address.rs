//! How much of something one address has under way. An address that is at its bound never keeps out another one.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::rate_limit::network;

/// Counts by address; an IPv6 customer's /64 is one. Remembers those that have something under way and no others.
pub(crate) struct PerAddress {
    most: usize,
    under_way: Mutex<HashMap<IpAddr, usize>>,
}

/// One that is under way, until it is dropped.
pub(crate) struct UnderWay<'a> {
    counts: &'a PerAddress,
    address: IpAddr,
}

impl PerAddress {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, under_way: Mutex::default() }
    }

    /// Counts one more of `address`, or none when it has as many as it may.
    pub(crate) fn enter(&self, address: IpAddr) -> Option<UnderWay<'_>> {
        let address = network(address);
        let mut under_way = self.under_way();
        let count = under_way.get(&address).copied().unwrap_or(0);
        if count >= self.most {
            return None;
        }
        under_way.insert(address, count + 1);
        Some(UnderWay { counts: self, address })
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut under_way = self.counts.under_way();
        match under_way.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(under_way.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_bounded_alone_and_nothing_is_kept_of_those_who_left() {
        let counts = PerAddress::new(2);
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let held = [counts.enter(ip("192.0.2.1")), counts.enter(ip("::ffff:192.0.2.1"))];
        assert!(held.iter().all(Option::is_some));
        assert!(counts.enter(ip("192.0.2.1")).is_none());
        assert!(counts.enter(ip("192.0.2.2")).is_some());
        let customer = [counts.enter(ip("2001:db8::1")), counts.enter(ip("2001:db8::2"))];
        assert!(customer.iter().all(Option::is_some) && counts.enter(ip("2001:db8::3")).is_none());
        drop((held, customer));
        assert!(counts.under_way().is_empty());
    }
}
