//! Authenticates to push services with a key pair and the tokens that it signs (RFC 8292).
//! The private key appears in no `Debug`, error or header.

mod keys;
mod tokens;

pub(super) use keys::random_key;
pub use keys::{MAX_CONTACT_BYTES, VapidError, VapidKeys};
pub(super) use tokens::Tokens;
