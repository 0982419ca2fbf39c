//! Everything that is stored: a folder per table with its entity, its queries and its bulk statements. Reads of user data are
//! scoped by user.
//! Holds no rules: those are `domain`'s.

#[macro_use]
mod from_row;

pub mod attempt;
pub mod bounded;
pub mod broadcast;
mod db_now;
pub mod dead_letter;
pub mod delivery;
pub mod delivery_progress;
mod either;
pub mod endpoint;
pub mod endpoint_event_type;
pub mod error_log;
pub mod event;
pub mod event_type;
pub mod finished_delivery;
pub mod idempotency_key;
pub mod invariants;
pub mod lane;
pub mod lease;
pub mod message;
pub mod message_sender;
pub mod message_total;
pub mod notice;
pub mod partition;
pub mod placement;
pub mod process;
pub mod push_subscription;
pub mod replay;
pub mod retention;
mod rows;
pub mod scope;
pub mod sql_builder;
pub mod stamp;
pub mod subscriber;
pub mod time_limited;
pub mod upload;
