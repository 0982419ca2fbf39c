//! The all-in-one process and the command line: serve, demo, listen, migrate.
//! Puts the parts together; does none of their work.

pub mod cli;
mod instance;
pub mod migrate;
pub mod receiver;
pub mod serve;
