//! Bounds of the API: requests in progress, memory and waits.

use std::time::Duration;

/// Bytes that one permit of the budget for event bodies stands for.
pub(crate) const BYTES_PER_PERMIT: usize = 1_024;
/// Most requests that may wait with `Prefer: wait`; one more is answered at once.
pub(crate) const WAITING: usize = 64;

/// Bounds on what is in flight, and on waits. Tests shorten the waits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most requests in flight; one more is answered 503.
    pub in_flight: usize,
    /// Most requests in flight of one address without a key; one more is answered 429.
    pub in_flight_of_address: usize,
    /// Most uploads in flight, among them.
    pub uploads: usize,
    /// Most bytes of published events in flight; more are answered 503.
    pub publish_bytes: usize,
    /// Most searches that look through many rows at once; one more waits for its turn.
    pub searches: usize,
    /// Most bodies of signed ingest in flight that are larger than any message has to be; one more is answered 503.
    pub large_messages: usize,
    /// Most of them from one address.
    pub large_messages_of_address: usize,
    /// Most push subscriptions that no message has reached yet, for callers without a key.
    pub unreached_subscriptions: u64,
    /// Longest that a search may wait and take; one more moment is answered 503.
    pub search: Duration,
    /// Longest wait for the next byte of a body.
    pub stall: Duration,
    /// Longest wait until a caller takes more of an answer. Generous: a slow line drains its buffers in bursts.
    pub send_stall: Duration,
    /// Longest time for a whole upload.
    pub upload: Duration,
    /// Longest time for the whole of any other body; below `request`, so that a slow caller is answered 408 and not 503.
    pub body: Duration,
    /// Longest time for any other request.
    pub request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 4_096,
            in_flight_of_address: 512,
            uploads: 512,
            publish_bytes: 256 * 1_024 * 1_024,
            searches: 2,
            large_messages: 64,
            large_messages_of_address: 16,
            unreached_subscriptions: 100_000,
            search: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            send_stall: Duration::from_secs(120),
            upload: Duration::from_secs(3_600),
            body: Duration::from_secs(20),
            request: Duration::from_secs(30),
        }
    }
}
