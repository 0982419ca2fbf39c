//! The channels that deliveries are sent through, and the states of their lanes.

use std::{fmt, str::FromStr};

use crate::string_enum::string_enum;

string_enum! {
    /// The channel that a delivery is sent through.
    Channel {
        /// HTTP POST to a registered endpoint, signed as Standard Webhooks specifies.
        Webhook = "webhook",
        /// Web Push (RFC 8030).
        WebPush = "web_push",
        /// A message of a Telegram bot.
        Telegram = "telegram",
    }
}

string_enum! {
    /// The state of a lane. Deliveries that wait in a lane that is not active are held.
    LaneState {
        /// Deliveries are sent as they fall due.
        Active = "active",
        /// Paused by its owner; paused time does not count against the retry schedule.
        Paused = "paused",
        /// Disabled automatically (410, or days of failures) until its owner resumes it.
        Disabled = "disabled",
        /// Deleted by its owner; its deliveries are cancelled.
        Deleted = "deleted",
    }
}
