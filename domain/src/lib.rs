//! The rules of Hookyard, pure: no I/O, no async, no clock and no randomness of their own (identifiers aside).
//! Everything else in the house may know this crate; it knows none of them.

pub mod clock;
pub mod delivery;
pub mod endpoint;
pub mod event;
pub mod event_type;
pub mod id;
pub mod job;
pub mod measure;
pub mod message;
pub mod notification;
pub mod problem;
pub mod replay;
pub mod signature;
pub mod upload;
pub mod words;
