//! The infrastructure of every Hookyard process: settings, database, queue, storage, keys, telemetry, supervision.
//! Decides nothing about deliveries: `domain` has the rules, `api` and `worker` do the work.

pub mod clock;
pub mod config;
pub mod context;
pub mod database;
pub mod descriptors;
pub mod keys;
pub mod links;
pub mod queue;
pub mod storage;
pub mod supervisor;
pub mod telemetry;
