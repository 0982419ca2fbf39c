//! The handlers, one file a resource. Each reads as: load, decide, record, answer.

pub(crate) mod batch;
pub(crate) mod deliveries;
pub(crate) mod endpoint_secrets;
pub(crate) mod endpoint_test;
pub(crate) mod endpoints;
pub(crate) mod envelope;
pub(crate) mod errors;
pub(crate) mod event_types;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod health;
pub(crate) mod messages;
pub(crate) mod notices;
pub(crate) mod notify;
pub(crate) mod page;
pub(crate) mod placements;
pub(crate) mod push_page;
pub(crate) mod push_subscriptions;
pub(crate) mod registrations;
pub(crate) mod replays;
pub(crate) mod start;
pub(crate) mod statistics;
pub(crate) mod subscribers;
pub(crate) mod text;
pub(crate) mod upload_files;
pub(crate) mod uploads;
