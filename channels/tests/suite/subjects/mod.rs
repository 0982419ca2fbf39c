//! The channels that take part, a file each.

mod telegram;
mod web_push;
mod webhook;
