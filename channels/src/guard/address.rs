//! Decides which addresses belong to the public internet.
//! When in doubt an address is not public: reserved blocks and tunnels to non-public addresses don't count.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 blocks that are not public, as (network, prefix length), after the IANA special-purpose registry.
const NOT_PUBLIC_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network, unspecified
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // metadata of a cloud, outside the link-local block
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays, deprecated
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// Blocks inside the global unicast space 2000::/3 that are not public; the rest of IPv6 is not public anyway.
const NOT_PUBLIC_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0), 48), // benchmarking
    (Ipv6Addr::new(0x2001, 0x10, 0, 0, 0, 0, 0, 0), 28), // ORCHID
    (Ipv6Addr::new(0x2001, 0x20, 0, 0, 0, 0, 0, 0), 28), // ORCHIDv2
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Whether an address is on the public internet: not private, loopback, link-local, metadata, multicast,
/// carrier-grade NAT or reserved, and no IPv6 spelling or tunnel of such an IPv4 address.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |&(network, prefix): &(Ipv4Addr, u32)| {
        (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
    };
    !NOT_PUBLIC_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let last = v4(g, h);
    match (a, b) {
        // ::a.b.c.d (compatible; unspecified and loopback among them) and ::ffff:a.b.c.d (mapped)
        (0, 0) => [c, d, e] == [0; 3] && matches!(f, 0 | 0xffff) && is_public_v4(last),
        // NAT64; its local-use block 64:ff9b:1::/48 is no part of it
        (0x64, 0xff9b) => [c, d, e, f] == [0; 4] && is_public_v4(last),
        // 6to4
        (0x2002, _) => is_public_v4(v4(b, c)),
        // Teredo: its server, and the client behind it, written inverted
        (0x2001, 0) => is_public_v4(v4(c, d)) && is_public_v4(v4(!g, !h)),
        _ => a & 0xe000 == 0x2000 && !is_reserved_v6(address),
    }
}

fn is_reserved_v6(address: Ipv6Addr) -> bool {
    NOT_PUBLIC_V6
        .iter()
        .any(|&(network, prefix)| (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix)
}

const fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(((high as u32) << 16) | low as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn all(public: bool, addresses: &[&str]) {
        for text in addresses {
            assert_eq!(is_public(text.parse().expect(text)), public, "{text}");
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        all(true, &["1.1.1.1", "8.8.8.8", "93.184.216.34", "223.255.255.255"]);
        all(true, &["2606:4700:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "3fff:1000::1"]);
    }

    #[test]
    fn each_block_of_v4_ends_where_it_should() {
        for (inside, outside) in [
            (["0.0.0.0", "0.255.255.255"], ["1.0.0.0", "1.0.0.1"]),
            (["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
            (["100.64.0.0", "100.127.255.255"], ["100.63.255.255", "100.128.0.0"]),
            (["127.0.0.1", "127.255.255.255"], ["126.255.255.255", "128.0.0.0"]),
            (["168.63.129.16", "168.63.129.16"], ["168.63.129.15", "168.63.129.17"]),
            (["169.254.169.254", "169.254.0.0"], ["169.253.255.255", "169.255.0.0"]),
            (["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]),
            (["192.0.0.0", "192.0.0.255"], ["191.255.255.255", "192.0.1.0"]),
            (["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0"]),
            (["192.88.99.0", "192.88.99.255"], ["192.88.98.255", "192.88.100.0"]),
            (["192.168.0.0", "192.168.255.255"], ["192.167.255.255", "192.169.0.0"]),
            (["198.18.0.0", "198.19.255.255"], ["198.17.255.255", "198.20.0.0"]),
            (["198.51.100.0", "198.51.100.255"], ["198.51.99.255", "198.51.101.0"]),
            (["203.0.113.0", "203.0.113.255"], ["203.0.112.255", "203.0.114.0"]),
            (["224.0.0.0", "239.255.255.255"], ["223.255.255.255", "223.255.255.254"]),
            (["240.0.0.0", "255.255.255.255"], ["223.255.255.255", "223.0.0.0"]),
        ] {
            all(false, &inside);
            all(true, &outside);
        }
    }

    #[test]
    fn special_v6_addresses_are_not_public() {
        all(false, &["::", "::1", "fc00::1", "fdff::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1"]);
        all(false, &["ff02::1", "100::1", "100:0:0:1::1", "2001:db8::1", "2001:db8:ffff::", "2001:2::1"]);
        all(false, &["2001:10::1", "2001:2f::1", "3fff::1", "3fff:fff::1", "5f00::1", "4000::1", "1fff::1"]);
        all(true, &["2001:db7::1", "2001:db9::1", "2001:2:1::1", "2001:30::1"]);
    }

    #[test]
    fn a_private_v4_address_embedded_in_v6_is_still_private() {
        for (private, public) in [
            ("::ffff:10.0.0.1", "::ffff:8.8.8.8"),
            ("::ffff:169.254.169.254", "::ffff:1.1.1.1"),
            ("::127.0.0.1", "::8.8.8.8"),
            ("64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8"),
            ("2002:0a00:0001::1", "2002:0808:0808::1"),
            ("2002:7f00:0001::", "2002:0101:0101::"),
            // Teredo: a private server; a private client (10.0.0.1 inverted)
            ("2001:0:0a00:0001::f7f7:f7f7", "2001:0:0808:0808::f7f7:f7f7"),
            ("2001:0:0808:0808::f5ff:fffe", "2001:0:0101:0101::f7f7:f7f7"),
        ] {
            all(false, &[private]);
            all(true, &[public]);
        }
        all(false, &["64:ff9b:1::8.8.8.8", "64:ff9b:1:a00::1", "64:ff9b::1:0:0", "::ffff:0:8.8.8.8"]);
    }
}
