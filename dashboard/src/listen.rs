//! The listener of the pages. Connections that stay idle or do not read must never use up the process's file descriptors:
//! deliveries need them.

use std::{net::SocketAddr, time::Duration};

use axum::extract::ConnectInfo;
use http::Extensions;
use platform::{config::Config, descriptors::Descriptors};
use web::listener::Bounds;

/// Most connections at once, where the limit of file descriptors allows it; a few more wait.
const MAX_CONNECTIONS: usize = 512;
/// Longest time for the head of a request, and for an idle connection.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// Longest time in which nothing of an answer is read.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// Most bytes of a request's head.
const MAX_BUFFER: usize = 32 * 1_024;

pub(crate) fn bounds(config: &Config) -> Bounds {
    let connections = Descriptors::now().connections(MAX_CONNECTIONS, config);
    Bounds { connections, head: HEAD_DEADLINE, write: WRITE_DEADLINE, buffer: MAX_BUFFER }
}

pub(crate) fn mark(extensions: &mut Extensions, peer: SocketAddr) {
    extensions.insert(ConnectInfo(peer));
}
