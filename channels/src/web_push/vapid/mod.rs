//! Who we are to push services: a key pair, and the tokens that it signs (RFC 8292).
//! The private half appears in no `Debug`, no error and no header.

mod keys;
mod tokens;

pub(super) use keys::random_key;
pub use keys::{MAX_CONTACT_BYTES, VapidError, VapidKeys};
pub(super) use tokens::Tokens;
