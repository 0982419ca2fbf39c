//! The sums of a ledger: how many were accepted and arrived, and how long both took.

use std::{collections::BTreeMap, time::Duration};

use super::entry::{Entry, micros};
use crate::measure::Histogram;

/// The sums of a ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Requests made.
    pub(crate) asked: u64,
    /// Those that were answered with a 2xx.
    pub(crate) accepted: u64,
    /// Accepted ones that arrived.
    pub(crate) arrived: u64,
    /// Accepted ones that did not.
    pub(crate) missing: Vec<usize>,
    /// How many requests were refused, by status; without one, the connection broke or the answer is still to come.
    pub(crate) refused: BTreeMap<Option<u16>, u64>,
    /// Numbers that arrived more than once.
    pub(crate) twice: u64,
    /// Numbers that arrived without a 2xx.
    pub(crate) unannounced: u64,
    /// The longest time from accept to arrival.
    pub(crate) slowest: Duration,
    /// From request to answer, of accepted ones.
    pub(crate) accept: Histogram,
    /// From request to first arrival, of accepted ones.
    pub(crate) arrival: Histogram,
    /// From the first request to the last answer, and to the last first arrival.
    pub(crate) accepted_within: Duration,
    pub(crate) arrived_within: Duration,
}

impl Sums {
    pub(super) fn add(&mut self, number: usize, entry: &Entry, start: u64) {
        self.asked += 1;
        self.twice += u64::from(entry.calls > 1);
        let Some(accepted) = entry.accepted else {
            *self.refused.entry(entry.status).or_default() += 1;
            self.unannounced += u64::from(entry.arrived.is_some());
            return;
        };
        self.accepted += 1;
        self.accept.record(micros(accepted - entry.asked));
        self.accepted_within = self.accepted_within.max(micros(accepted - start));
        let Some(arrived) = entry.arrived else {
            self.missing.push(number);
            return;
        };
        self.arrived += 1;
        self.slowest = self.slowest.max(micros(arrived.saturating_sub(accepted)));
        self.arrival.record(micros(arrived.saturating_sub(entry.asked)));
        self.arrived_within = self.arrived_within.max(micros(arrived.saturating_sub(start)));
    }
}
