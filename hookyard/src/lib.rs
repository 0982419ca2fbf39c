//! The all-in-one process and the command line: serve, demo, listen, migrate, keys, doctor.
//! Puts the parts together; does none of their work.

pub mod cli;
pub mod demo;
pub mod doctor;
mod instance;
pub mod keys;
pub mod listen;
pub mod migrate;
pub mod serve;
mod terminal;
