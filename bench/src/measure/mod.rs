//! Measurements: latencies, the costs of each process, and the counters of the servers.

mod counts;
mod histogram;
mod usage;

pub(crate) use counts::{Counts, settle_statistics};
pub(crate) use histogram::Histogram;
pub(crate) use usage::{Cost, Meter, cpu_of_trees, resident_mib};
