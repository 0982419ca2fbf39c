//! How values are written for people: numbers, times, sizes, bodies, states. Pure: no clock, no database.

pub(crate) mod badge;
pub(crate) mod body;
pub(crate) mod headers;
pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod status;
pub(crate) mod time;
