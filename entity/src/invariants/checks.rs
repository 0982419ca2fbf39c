//! What must not be, one entry each: how it is found, what it means, and what mends it. `$1` is the database's time.

use crate::lane::rules::unlimited;

/// One kind of row that must not be.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name: stable, a label of the metric.
    pub name: &'static str,
    /// What such rows mean, for an operator.
    pub meaning: &'static str,
    pub(crate) table: &'static str,
    pub(crate) condition: &'static str,
    pub(crate) cure: Cure,
}

/// What mends such rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cure {
    /// Columns are set.
    Set(&'static str),
    /// The row goes.
    Delete,
    /// Nothing that a statement could do; the workers are woken.
    Wake,
}

// Bounds: a lease lasts 15 s; a Retry-After is obeyed for a day; a breaker opens for 15 minutes. Each has a minute to spare:
// nothing here meets a row that is as it should be.
/// Every check, in the order in which they are made.
pub const CHECKS: &[Check] = &[
    Check {
        name: "lease_ahead",
        meaning: "leases longer than a lease lasts: the database's clock was set back",
        table: "delivery",
        condition: "lease_until > $1 + 75000",
        cure: Cure::Set("lease_until = $1 + 15000"),
    },
    Check {
        name: "upload_lease_ahead",
        meaning: "uploads leased for longer than a lease lasts: the database's clock was set back",
        table: "upload",
        condition: "state = 'received' AND lease_until > $1 + 75000",
        cure: Cure::Set("lease_until = $1 + 15000"),
    },
    Check {
        name: "broadcast_lease_ahead",
        meaning: "broadcasts leased for longer than a lease lasts: the database's clock was set back",
        table: "broadcast",
        condition: "state = 'running' AND lease_until > $1 + 75000",
        cure: Cure::Set("lease_until = $1 + 15000"),
    },
    Check {
        name: "lane_blocked_ahead",
        meaning: "lanes blocked, broken or granted for longer than any rule allows: the database's clock was set back",
        table: "lane",
        condition: "blocked_until > $1 + 86460000 OR breaker_until > $1 + 960000 OR backlog_until > $1 + 63000
            OR rate_slot_us > ($1 + 3660000) * 1000",
        cure: Cure::Set(
            "blocked_until = CASE WHEN blocked_until > $1 + 86400000 THEN $1 + 86400000 ELSE blocked_until END,
             breaker_until = CASE WHEN breaker_until > $1 + 900000 THEN $1 + 900000 ELSE breaker_until END,
             backlog_until = CASE WHEN backlog_until > $1 + 3000 THEN 0 ELSE backlog_until END,
             rate_slot_us = CASE WHEN rate_slot_us > ($1 + 3600000) * 1000 THEN $1 * 1000 ELSE rate_slot_us END",
        ),
    },
    Check {
        name: "process_ahead",
        meaning: "heartbeats of the future: the clock of a process is wrong",
        table: "process",
        condition: "seen_at > $1 + 60000",
        cure: Cure::Delete,
    },
    // A lane whose backlog is worked off shows it: it is noted to have one, or its sends succeed.
    Check {
        name: "neglected",
        meaning: "deliveries due for five minutes that no worker takes: is one running?",
        table: "delivery",
        condition: concat!(
            "due_at < $1 - 300000 AND lease_until <= $1 AND NOT EXISTS (
            SELECT 1 FROM lane l WHERE l.id = delivery.lane_id AND (l.state <> 'active' OR NOT (",
            unlimited!("l"),
            ") OR l.blocked_until > $1 - 300000 OR l.backlog_until > $1 - 300000 OR l.succeeded_at > $1 - 300000 OR l.resumed_at > $1 - 300000))"
        ),
        cure: Cure::Wake,
    },
    Check {
        name: "neglected_upload",
        meaning: "uploads due for fifteen minutes that no worker takes: is one with the uploads queue running?",
        table: "upload",
        condition: "state = 'received' AND due_at < $1 - 900000 AND lease_until <= $1",
        cure: Cure::Wake,
    },
    Check {
        name: "replay_stalled",
        meaning: "running replays that made no page for five minutes: is a worker running?",
        table: "replay",
        condition: "state = 'running' AND next_at < $1 - 300000",
        cure: Cure::Wake,
    },
    Check {
        name: "deleted_lane",
        meaning: "deliveries of deleted endpoints that were not cancelled within ten minutes: is a worker running?",
        table: "delivery",
        condition: "lease_until <= $1 AND lane_id IN (
            SELECT id FROM lane WHERE state = 'deleted' AND off_since > 0 AND off_since < $1 - 600000)",
        cure: Cure::Wake,
    },
];
