//! The reasons of dead letters and cancellations.

use std::{fmt, str::FromStr};

use crate::string_enum::string_enum;

string_enum! {
    /// Why a delivery is dead or cancelled; stable, stored and shown.
    DeadReason {
        /// Every attempt of the schedule failed.
        ScheduleSpent = "schedule_spent",
        /// The receiver answered 410 Gone and its endpoint is disabled.
        Gone = "gone",
        /// The recipient will never accept this (413, a malformed subscription).
        Rejected = "rejected",
        /// The recipient has unsubscribed: its push subscription is gone, or its chat blocked the bot.
        Unsubscribed = "unsubscribed",
        /// Claimed repeatedly by workers that never recorded a result.
        WorkerLost = "worker_lost",
        /// The whole retry schedule passed while the endpoint's breaker was open.
        EndpointDown = "endpoint_down",
        /// Exceeded the number of held deliveries of the endpoint, or the time they are held.
        HeldLimit = "held_limit",
        /// The endpoint was deleted.
        EndpointDeleted = "endpoint_deleted",
        /// The stored secret can't be opened with this `SECRET_KEY`, or the stored row is damaged.
        Unreadable = "unreadable",
    }
}
