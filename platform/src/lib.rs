//! What every process of Hookyard needs: settings, database, queue, storage, keys, telemetry, supervision.
//! Decides nothing about deliveries: the rules are `domain`'s, the work is `api`'s and `worker`'s.

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
