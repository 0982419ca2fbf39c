//! `multipart/form-data`, read as a stream: one part at a time, one chunk at a time, everything else bounded.
//! Nothing here holds more of a file than the chunk in hand.

mod file_name;
mod gate;
mod parameters;
mod parts;

pub(crate) use parameters::boundary;
pub(crate) use parts::{Part, Parts};
