//! What a call gets for an answer.

use std::time::Duration;

use bytes::Bytes;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This status at once, without a body.
    Status(u16),
    /// This status with headers and a body.
    StatusWith {
        /// The status; 500 when it is no status at all.
        status: u16,
        /// Headers; those that are not valid are left out.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
    /// This status after a wait.
    Delay(Duration, u16),
    /// None: the client waits until it gives up.
    Hang,
    /// None: the connection is closed.
    Drop,
}

impl Answer {
    /// The status it will have; 0 for none.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Status(status) | Self::StatusWith { status, .. } | Self::Delay(_, status) => *status,
            Self::Hang | Self::Drop => 0,
        }
    }
}
