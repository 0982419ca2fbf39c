//! The all-in-one process and the command line: serve, demo, listen, migrate, keys, doctor.
//! Assembles the other crates; has no delivery logic of its own.

pub mod cli;
pub mod demo;
pub mod doctor;
mod instance_lock;
pub mod keys;
pub mod listen;
pub mod migrate;
pub mod serve;
mod terminal;
