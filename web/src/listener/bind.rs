//! Sockets that listen.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Connections that the system keeps until they are accepted; it may have a lower limit of its own (`somaxconn`).
const BACKLOG: u32 = 4_096;

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address, as configured.
    pub address: SocketAddr,
    /// The system's error.
    pub source: io::Error,
}

/// Sockets that are bound and not yet served.
#[derive(Debug)]
pub struct Listeners(pub(super) Vec<TcpListener>);

impl Listeners {
    /// Binds every address; port 0 takes a free one.
    ///
    /// # Errors
    /// With the first address that cannot be bound.
    pub async fn bind(addresses: &[SocketAddr]) -> Result<Self, BindError> {
        let bind = |&address| bind(address).map_err(|source| BindError { address, source });
        addresses.iter().map(bind).collect::<Result<_, _>>().map(Self)
    }

    /// Takes over a socket that is bound already.
    ///
    /// # Errors
    /// When the system refuses to make it non-blocking.
    pub fn from_std(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self(vec![TcpListener::from_std(socket)?]))
    }

    /// The addresses as bound.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart need not wait for the connections of the process before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_taken_is_named() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let taken = Listeners::bind(&[any]).await.expect("a free port");
        let address = taken.addresses()[0];
        let error = Listeners::bind(&[any, address]).await.expect_err("taken").to_string();
        assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
    }
}
