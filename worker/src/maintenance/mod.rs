//! Maintenance tasks: heartbeats, gauges, partitions ahead, dead rows. Small, regular, safe in many processes.

mod gauges;
mod heartbeat;
mod idempotency_keys;
pub mod lanes;
mod orphan_files;
mod partitions;
mod vacuum;

pub use gauges::{gauges, oldest_due};
pub use heartbeat::{Heartbeat, heartbeat};
pub use idempotency_keys::{forget_batch, forget_keys};
pub use orphan_files::{OrphanError, orphans, sweep};
pub use partitions::{Partitions, make_partitions, partitions};
pub use vacuum::vacuum;
