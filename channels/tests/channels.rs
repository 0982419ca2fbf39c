//! The channels against real sockets: the suite that each of them passes, and what only one of them does.

mod suite;
mod telegram;
mod web_push;
mod webhook;
