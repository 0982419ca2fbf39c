//! How much of something one address has in flight. An address at its bound never keeps out another one.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::peer::network;

/// Counts by address; an IPv6 /64 network is one. Remembers addresses that have something in flight and no others.
pub struct PerAddress {
    most: usize,
    in_flight: Mutex<HashMap<IpAddr, usize>>,
}

/// One that is in flight, until it is dropped.
pub struct InFlight<'a> {
    counts: &'a PerAddress,
    address: IpAddr,
}

impl PerAddress {
    /// Lets each address have `most` in flight.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, in_flight: Mutex::default() }
    }

    /// Counts one more of `address`; `None` when it has as many as it may.
    pub fn enter(&self, address: IpAddr) -> Option<InFlight<'_>> {
        let address = network(address);
        let mut in_flight = self.in_flight();
        let count = in_flight.get(&address).copied().unwrap_or(0);
        if count >= self.most {
            return None;
        }
        in_flight.insert(address, count + 1);
        Some(InFlight { counts: self, address })
    }

    fn in_flight(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut in_flight = self.counts.in_flight();
        match in_flight.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(in_flight.remove(&self.address)),
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
        assert!(counts.in_flight().is_empty());
    }
}
