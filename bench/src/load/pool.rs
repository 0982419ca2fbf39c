//! Connections that are used in turn, as many as requests are under way at once.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;
use bytes::Bytes;

use super::{Connection, PostRequest};

/// A connection that was idle for longer is not used again: the API closes one after 30 s.
const KEPT: Duration = Duration::from_secs(15);

/// A pool without a bound. Clones share it.
#[derive(Clone)]
pub(super) struct Pool {
    address: Arc<str>,
    /// Each with when it was last used, the latest last.
    idle: Arc<Mutex<Vec<(Instant, Connection)>>>,
}

impl Pool {
    /// Without a connection.
    pub(super) fn new(address: &str) -> Self {
        Self { address: address.into(), idle: Arc::default() }
    }

    /// Posts on the connection that was used last, or on a new one; returns status and body of the answer.
    pub(super) async fn post(&self, request: &PostRequest) -> Result<(u16, Bytes)> {
        let mut connection = match self.idle() {
            Some(connection) => connection,
            None => Connection::open(&self.address).await?,
        };
        let answer = connection.post(request).await?;
        if connection.is_reusable() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push((Instant::now(), connection));
        }
        Ok(answer)
    }

    fn idle(&self) -> Option<Connection> {
        let (since, connection) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        (since.elapsed() < KEPT).then_some(connection)
    }
}
