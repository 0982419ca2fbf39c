//! The channels against real sockets: the shared suite, and tests of single channels.

mod suite;
mod telegram;
mod web_push;
mod webhook;
