//! The pages, one module each. A handler loads, decides, renders; none of them writes.

pub(crate) mod asset;
pub(crate) mod delivery;
pub(crate) mod errors;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod overview;
pub(crate) mod upload;
