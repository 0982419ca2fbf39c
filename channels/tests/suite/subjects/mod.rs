//! The channels that take part, a file each.

mod web_push;
mod webhook;
