//! Entities, one file a table, and the queries that every reader shares, scoped by user where the row has one.
//! Holds no rules: those are `domain`'s.

pub mod attempt;
pub mod broadcast;
pub mod bulk;
pub mod dead_letter;
pub mod delivery;
pub mod delivery_progress;
pub mod endpoint;
pub mod endpoint_event_type;
pub mod error_log;
pub mod event;
pub mod event_type;
pub mod finished_delivery;
pub mod idempotency_key;
pub mod lane;
pub mod message;
pub mod message_sender;
pub mod message_total;
pub mod moves;
pub mod notice;
pub mod placement;
pub mod process;
pub mod push_subscription;
pub mod queries;
pub mod replay;
pub mod subscriber;
pub mod upload;
