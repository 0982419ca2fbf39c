//! Why a delivery stands in the dead letters.

use std::{fmt, str::FromStr};

use crate::words::words;

words! {
    /// Why a delivery is dead or cancelled; stable, stored and shown.
    DeadReason {
        /// Every attempt of the schedule failed.
        ScheduleSpent = "schedule_spent",
        /// The receiver answered 410 Gone and its endpoint is disabled.
        Gone = "gone",
        /// The recipient will never accept this (413, a malformed subscription).
        Rejected = "rejected",
        /// The recipient has left: its push subscription is gone, or its chat blocked the bot.
        Unsubscribed = "unsubscribed",
        /// Claimed again and again by workers that never came back.
        WorkerLost = "worker_lost",
        /// The whole schedule passed while the endpoint's breaker was open.
        EndpointDown = "endpoint_down",
        /// More was held for the endpoint, or longer, than is kept.
        HeldLimit = "held_limit",
        /// Its endpoint was deleted.
        EndpointDeleted = "endpoint_deleted",
        /// The stored secret can't be opened with this `SECRET_KEY`, or the stored row is damaged.
        Unreadable = "unreadable",
    }
}
