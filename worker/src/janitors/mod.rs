//! Janitors: heartbeats, gauges, partitions ahead, dead rows. Small, regular, safe in many processes.

mod gauges;
mod heartbeat;
mod keys;
pub mod lanes;
mod orphans;
mod partitions;
mod vacuum;

pub use gauges::{gauges, oldest_due};
pub use heartbeat::{Heartbeat, heartbeat};
pub use keys::{forget_batch, forget_keys};
pub use orphans::{OrphanError, orphans, sweep};
pub use partitions::{Partitions, make_partitions, partitions};
pub use vacuum::{vacuum, vacuum_when_due};
