//! The other end of a connection, and the part of its address that bounds count by.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;

/// The address of the caller. The listener adds it to the extensions of every request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// The address that a request comes from; `None` when it came through no listener.
    #[must_use]
    pub fn address_of(request: &Request) -> Option<IpAddr> {
        request.extensions().get::<Self>().map(|peer| peer.0.ip())
    }
}

/// The address that bounds count: an IPv4 address, or the /64 network of an IPv6 address, which one customer has whole.
pub(crate) fn network(address: IpAddr) -> IpAddr {
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

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        for (address, counted) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::"),
        ] {
            let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
            assert_eq!(network(ip(address)), ip(counted), "{address}");
        }
    }
}
