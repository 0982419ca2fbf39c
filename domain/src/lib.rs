//! The rules of Hookyard, pure: no I/O, no async, no clock and no randomness of their own (identifiers aside).
//! Every other crate of the workspace may depend on this one; it depends on none of them.

pub mod clock;
pub mod delivery;
pub mod duration_format;
pub mod endpoint;
pub mod event;
pub mod event_type;
pub mod id;
pub mod job;
pub mod message;
pub mod notification;
pub mod number_format;
pub mod problem;
pub mod replay;
pub mod signature;
pub mod string_enum;
pub mod upload;
