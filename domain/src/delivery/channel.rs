//! By which way a delivery leaves the house, and whether its lane may be used now.

use std::{fmt, str::FromStr};

use crate::words::words;

words! {
    /// How a delivery leaves the house.
    Channel {
        /// HTTP POST to a registered endpoint, signed by Standard Webhooks.
        Webhook = "webhook",
        /// Web Push (RFC 8030).
        WebPush = "web_push",
        /// A message by a Telegram bot.
        Telegram = "telegram",
    }
}

words! {
    /// Whether a lane's deliveries are sent. What waits in a lane that is not active is called held.
    LaneState {
        /// Deliveries are sent as they fall due.
        Active = "active",
        /// Its owner stopped it; the schedule's clock stands still.
        Paused = "paused",
        /// We stopped it (410, or days of failing); its owner has to resume it.
        Disabled = "disabled",
        /// Its owner deleted it; what waits is cancelled.
        Deleted = "deleted",
    }
}
