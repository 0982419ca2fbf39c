//! The outbound guard: no request goes to an address that is not public, unless its network is listed as an exception.
//! Must check every address before a connection is made: literals in [`Guard::check_literal`], names as the resolver.

mod address;
mod lookup;
mod lookup_limit;
pub(crate) mod shortage;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

pub use address::is_public;
use lookup::Lookups;
pub use lookup::Unresolved;

use crate::outbound::timings;

/// Decides which addresses may be sent to. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allow: Arc<[IpNet]>,
    lookups: Lookups,
}

/// Why the guard refuses a destination. Does not contain resolved addresses: they may be internal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// The address, or one of the name's addresses, is not public and not in `ALLOW_NETWORKS`.
    #[error("the address is not public (ALLOW_NETWORKS lists exceptions)")]
    NotPublic,
    /// The URL has no host.
    #[error("the URL has no host")]
    NoHost,
    /// Port 0, where nothing can listen.
    #[error("port 0 can't be sent to")]
    PortZero,
    /// The name did not resolve.
    #[error("the name does not resolve: {0}")]
    Unresolved(#[from] Unresolved),
}

impl Guard {
    /// Creates a guard with these exceptions; without any, only public addresses are allowed.
    #[must_use]
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self { allow: allow.into(), lookups: Lookups::default() }
    }

    /// Creates a guard that allows every address: only for URLs from the operator's settings, never for a user's.
    ///
    /// # Panics
    /// Never: the networks are literals.
    #[must_use]
    pub fn open() -> Self {
        let everything = ["0.0.0.0/0", "::/0"].map(|network| network.parse().expect("a network"));
        Self::new(everything.to_vec())
    }

    /// Whether an address may be sent to. An IPv4-mapped IPv6 address counts as IPv4.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        let canonical = address.to_canonical();
        is_public(canonical) || self.allow.iter().any(|network| network.contains(&canonical))
    }

    /// Checks the host of a URL if it is a literal address, in whatever spelling the `url` crate reads as one.
    /// Names pass: they are checked when they are resolved. Literals never reach the resolver, so each send checks them here.
    ///
    /// # Errors
    /// When the literal is not allowed, or there is no host or port to send to.
    pub fn check_literal(&self, url: &Url) -> Result<(), GuardError> {
        if url.port() == Some(0) {
            return Err(GuardError::PortZero);
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(name)) if !name.is_empty() => return Ok(()),
            _ => return Err(GuardError::NoHost),
        };
        if self.allows(literal) { Ok(()) } else { Err(GuardError::NotPublic) }
    }

    /// Whether the host of a URL is a literal address within a listed network. Only there may a message be sent
    /// unencrypted.
    #[must_use]
    pub fn excepts(&self, url: &Url) -> bool {
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical(),
            _ => return false,
        };
        self.allow.iter().any(|network| network.contains(&literal))
    }

    /// Resolves a name once. Returns all its addresses, or an error when any of them is not allowed.
    ///
    /// # Errors
    /// When the name does not resolve, or an address is not allowed.
    pub async fn resolve(&self, name: &str) -> Result<Arc<[IpAddr]>, GuardError> {
        let addresses = self.lookups.find(name).await?;
        self.check_all(&addresses)?;
        Ok(addresses)
    }

    fn check_all(&self, addresses: &[IpAddr]) -> Result<(), GuardError> {
        let all = addresses.iter().all(|address| self.allows(*address));
        if all { Ok(()) } else { Err(GuardError::NotPublic) }
    }
}

impl Resolve for Guard {
    /// Returns to the connector exactly the addresses that were checked. Port 0 means the URL's port.
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = timings::time_resolution(guard.resolve(name.as_str())).await?;
            timings::record_addresses(&addresses);
            let sockets: Vec<_> = addresses.iter().map(|address| SocketAddr::new(*address, 0)).collect();
            Ok(Box::new(sockets.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allow: &[&str]) -> Guard {
        Guard::new(allow.iter().map(|network| network.parse().expect("a network")).collect())
    }

    fn check(guard: &Guard, url: &str) -> Result<(), GuardError> {
        guard.check_literal(&url.parse().expect(url))
    }

    #[test]
    fn a_private_literal_is_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "１２７.0.0.1",
            "127%2e0%2e0%2e1",
            "0",
            "169.254.169.254",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::10.0.0.1]",
            "[fe80::1]",
        ] {
            assert_eq!(
                check(&guard(&[]), &format!("http://{host}:8080/x")),
                Err(GuardError::NotPublic),
                "{host}"
            );
        }
    }

    #[test]
    fn public_literals_and_names_pass() {
        for host in
            ["8.8.8.8", "[2606:4700::1]", "example.com", "localhost", "webhook-test.com", "a.internal"]
        {
            assert_eq!(check(&guard(&[]), &format!("https://{host}/x")), Ok(()), "{host}");
        }
    }

    #[test]
    fn exceptions_hold_for_their_network_only() {
        let guard = guard(&["127.0.0.0/8", "::1/128", "10.1.0.0/16"]);
        for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "10.1.255.255"] {
            assert_eq!(check(&guard, &format!("http://{host}/")), Ok(()), "{host}");
        }
        for host in ["10.2.0.0", "10.0.255.255", "192.168.0.1", "[::2]"] {
            assert_eq!(check(&guard, &format!("http://{host}/")), Err(GuardError::NotPublic), "{host}");
        }
    }

    #[test]
    fn only_what_was_named_is_an_exception() {
        let guard = guard(&["127.0.0.0/8", "::1/128"]);
        let excepts = |url: &str| guard.excepts(&url.parse().expect(url));
        for url in ["http://127.0.0.1/", "http://127.1:8080/", "http://[::ffff:127.0.0.1]/", "http://[::1]/"]
        {
            assert!(excepts(url), "{url}");
        }
        for url in ["http://8.8.8.8/", "http://10.0.0.1/", "http://localhost/", "http://[::2]/", "data:,x"] {
            assert!(!excepts(url), "{url}");
        }
    }

    #[test]
    fn a_url_without_host_or_with_port_zero_is_refused() {
        assert_eq!(check(&guard(&[]), "data:text/plain,x"), Err(GuardError::NoHost));
        assert_eq!(check(&guard(&[]), "http://example.com:0/"), Err(GuardError::PortZero));
    }

    #[test]
    fn an_open_guard_lets_every_address_pass_and_still_wants_one() {
        for host in
            ["127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "[fc00::1]", "[::ffff:10.0.0.1]", "8.8.8.8"]
        {
            assert_eq!(check(&Guard::open(), &format!("http://{host}/")), Ok(()), "{host}");
        }
        assert_eq!(check(&Guard::open(), "http://127.0.0.1:0/"), Err(GuardError::PortZero));
        assert_eq!(check(&Guard::open(), "data:text/plain,x"), Err(GuardError::NoHost));
    }

    #[test]
    fn one_bad_address_of_a_name_is_enough_to_refuse_it() {
        let addresses: Vec<IpAddr> = ["8.8.8.8", "10.0.0.1"].map(|text| text.parse().expect(text)).to_vec();
        assert_eq!(guard(&[]).check_all(&addresses), Err(GuardError::NotPublic));
        assert_eq!(guard(&[]).check_all(&addresses[..1]), Ok(()));
        assert_eq!(guard(&["10.0.0.0/8"]).check_all(&addresses), Ok(()));
    }

    #[tokio::test]
    async fn a_name_that_points_home_is_refused_unless_excepted() {
        assert_eq!(guard(&[]).resolve("localhost").await, Err(GuardError::NotPublic));
        let found = guard(&["127.0.0.0/8", "::1/128"]).resolve("localhost").await.expect("excepted");
        assert!(found.iter().all(IpAddr::is_loopback));
    }
}
