//! Answers to calls.

use std::time::Duration;

use bytes::Bytes;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This status immediately, without a body.
    Status(u16),
    /// This status with headers and a body.
    StatusWith {
        /// The status; 500 when it is not a valid one.
        status: u16,
        /// Headers; invalid ones are omitted.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
    /// This status after a delay.
    Delay(Duration, u16),
    /// No response: the client waits until its timeout.
    Hang,
    /// No response: the connection is closed.
    Drop,
}

impl Answer {
    /// Returns its status; 0 without a response.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Status(status) | Self::StatusWith { status, .. } | Self::Delay(_, status) => *status,
            Self::Hang | Self::Drop => 0,
        }
    }
}
