//! Errors of the queue.

use std::time::Duration;

use redis::{ErrorKind, RedisError};

/// Why a call of the queue failed.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The address is not valid.
    #[error("REDIS_URL is not a valid address of a Redis: {0}")]
    Address(RedisError),
    /// Redis was unavailable a moment ago; another call within a second will try again.
    #[error("Redis is away")]
    Away,
    /// Redis did not answer in time.
    #[error("Redis did not answer within {0:?}")]
    Deadline(Duration),
    /// Redis returned an error, or the connection broke.
    #[error("Redis failed: {0}")]
    Redis(#[from] RedisError),
}

impl QueueError {
    /// Whether it is certain that nothing was pushed: Redis refused, or was never reached.
    #[must_use]
    pub fn is_outcome_known(&self) -> bool {
        match self {
            Self::Address(_) | Self::Away => true,
            Self::Deadline(_) => false,
            Self::Redis(error) => {
                matches!(
                    error.kind(),
                    ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed
                ) || error.is_connection_refusal()
            }
        }
    }
}
