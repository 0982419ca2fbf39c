//! What is read off: latencies, and what each process costs.

mod histogram;
mod usage;

pub(crate) use histogram::Histogram;
pub(crate) use usage::{Cost, Meter, resident_mib};
