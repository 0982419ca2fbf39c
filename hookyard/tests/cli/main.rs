//! The command line, run as a process; and the README, held equal to the code.

mod demo;
mod doctor;
mod keys;
mod listen;
mod messages;
mod readme;
mod running;
