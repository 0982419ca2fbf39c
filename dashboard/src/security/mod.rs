//! Security of the pages: headers of every answer, and sessions. Host and Origin checks are those of every listener.

pub(crate) mod headers;
pub(crate) mod session;
