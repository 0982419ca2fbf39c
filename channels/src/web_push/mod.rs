//! Web push: one encrypted message (RFC 8291) per attempt, to the push service of one browser (RFC 8030), with a VAPID
//! signature (RFC 8292). Must not decide about retries, and must never show a subscription's URL: it is a capability.

mod encrypt;
mod outcome;
mod payload;
mod send;
mod target;
mod vapid;

pub use encrypt::MAX_BODY_BYTES;
pub use payload::{DEFAULT_TITLE, MAX_PLAINTEXT_BYTES, MAX_SHOWN_URL_BYTES};
pub use send::{PushRequest, TTL, WebPushSender};
pub use target::{AUTH_BYTES, KEY_BYTES, PushTarget, PushTargetError};
pub use vapid::{MAX_CONTACT_BYTES, VapidError, VapidKeys};
