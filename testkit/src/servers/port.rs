//! Free ports.

use std::net::TcpListener;

use uuid::Uuid;

/// Below the ephemeral range, so that no other socket gets the port before it is used.
const FIRST: u64 = 20_000;
const COUNT: u64 = 12_000;
const TRIES: usize = 100;

/// Returns a port of 127.0.0.1 without a listener.
///
/// # Panics
/// When a hundred random ports were all taken.
#[must_use]
pub fn free_port() -> u16 {
    let random = || FIRST + Uuid::now_v7().as_u64_pair().1 % COUNT;
    let mut ports = std::iter::repeat_with(random).take(TRIES).filter_map(|port| u16::try_from(port).ok());
    ports
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port between 20000 and 32000")
}
