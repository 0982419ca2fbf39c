//! What stands before the pages: headers, `Host`, `Origin`, the session. Knows no page but the login.

pub(crate) mod attempts;
pub(crate) mod headers;
pub(crate) mod origin;
pub(crate) mod session;
