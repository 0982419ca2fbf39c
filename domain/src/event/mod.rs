//! What may be published: names of types, data, keys, and when. The rules that requests keep, without HTTP.
//! Nothing here knows a request.

mod data;
mod key;
mod name;
mod unmatched;

use std::time::Duration;

pub use data::{DataError, MAX_DATA_BYTES, MAX_NESTING, check_data};
pub use key::{IdempotencyKey, KeyError, MAX_KEY_CHARS};
pub use name::{TEST_EVENT_TYPE, is_of_the_house};
pub use unmatched::{Unmatched, UnmatchedFacts};

/// How far ahead `deliver_at` may lie.
pub const MAX_DELIVER_AHEAD: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long an idempotency key is kept, from its first use.
pub const KEY_KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Most endpoints that one event may name.
pub const MAX_NAMED_ENDPOINTS: usize = 1_000;
