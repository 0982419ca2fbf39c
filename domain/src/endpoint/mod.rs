//! The validation of a registered webhook: its URL, custom headers and custom payload.
//! Each error states the rule; callers prefix the field name.

mod headers;
mod members;
mod overlay;
mod payload;
mod url;

pub use self::url::{EndpointUrl, MAX_URL_CHARS, UrlError};
pub use headers::{CustomHeaders, HeadersError, MAX_HEADERS, MAX_HEADERS_BYTES, OWNED_HEADERS};
pub use overlay::{NotAnObject, overlay};
pub use payload::{CustomPayload, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, PayloadError, WrittenJson};
