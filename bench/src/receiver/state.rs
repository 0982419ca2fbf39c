//! What the connections of a receiver share.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, AtomicU64},
};

use bytes::Bytes;
use http::HeaderMap;

/// Calls to paths with this prefix are never answered.
pub(crate) const HANG: &str = "/hang";

/// Sees each call before it is answered. Must be cheap: it runs on the connection's task.
pub(crate) type Watch = dyn Fn(&HeaderMap, &Bytes) + Send + Sync;

/// The counters and the behaviour of a receiver.
pub(super) struct State {
    pub(super) count: Arc<AtomicU64>,
    pub(super) delay_ms: AtomicU64,
    pub(super) status: AtomicU16,
    pub(super) sample: Mutex<Option<Bytes>>,
    pub(super) watch: Box<Watch>,
}
