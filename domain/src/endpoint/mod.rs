//! The rules of a registered webhook: its address, its headers, its payload.
//! Each error names the rule; callers put the field's name before it.

mod headers;
mod members;
mod overlay;
mod payload;
mod url;

pub use self::url::{EndpointUrl, MAX_URL_CHARS, UrlError};
pub use headers::{CustomHeaders, HeadersError, MAX_HEADERS, MAX_HEADERS_BYTES, OWNED_HEADERS};
pub use overlay::{NotAnObject, overlay};
pub use payload::{CustomPayload, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, PayloadError, WrittenJson};
