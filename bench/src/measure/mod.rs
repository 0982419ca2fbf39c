//! What is measured: latencies, what each process costs, and what the servers count.

mod counts;
mod histogram;
mod usage;

pub(crate) use counts::{Counts, settle_statistics};
pub(crate) use histogram::Histogram;
pub(crate) use usage::{Cost, Meter, cpu_of_trees, resident_mib};
