//! The validation of published events: type names, data, idempotency keys and delivery times. Independent of HTTP.

mod data;
mod key;
mod name;
mod unmatched;

use std::time::Duration;

pub use data::{DataError, MAX_DATA_BYTES, MAX_NESTING, check_data};
pub use key::{IdempotencyKey, KeyError, MAX_KEY_CHARS};
pub use name::{TEST_EVENT_TYPE, is_system_event_type};
pub use unmatched::{Unmatched, UnmatchedFacts};

/// The latest `deliver_at`, counted from now.
pub const MAX_DELIVER_AHEAD: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long an idempotency key is kept after its first use.
pub const KEY_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Most endpoints that one event may name.
pub const MAX_NAMED_ENDPOINTS: usize = 1_000;
