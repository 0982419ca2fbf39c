//! How values are written for people: numbers, times, sizes, bodies, states. Pure: no clock, no database.

pub(crate) mod body;
pub(crate) mod headers;
pub(crate) mod json;
pub(crate) mod moment;
pub(crate) mod number;
pub(crate) mod pill;
pub(crate) mod standing;
