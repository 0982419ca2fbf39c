//! The command line, run as a process; and the README, held equal to the code.

mod demo;
mod doctor;
mod listen;
mod readme;
mod running;
