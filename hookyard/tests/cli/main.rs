//! The command line, run as a process.

mod demo;
mod doctor;
mod keys;
mod listen;
mod messages;
mod running;
