//! Sockets that listen.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Connections that the system keeps while they wait to be taken; it may have a lower limit of its own (`somaxconn`).
const BACKLOG: u32 = 4_096;

/// Binds `address`; port 0 takes a free one.
///
/// # Errors
/// When the address can't be had.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart need not wait for the connections of the process before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
