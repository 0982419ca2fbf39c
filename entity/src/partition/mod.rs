//! The partitions of events, finished deliveries and attempts by day, on Postgres. SQLite has none.

pub mod ahead;
pub mod days;
