//! The dispatcher: finds due rows that nobody is working on – retries, lost hints, dead workers, resumed endpoints – and
//! hints them. Runs in every worker; safe in many.
//!
//! It goes lane by lane in turn, so that no lane delays another, by an index that makes a look cost the same with ten due
//! rows and with ten million. When Redis is away it feeds its own process straight from the database.

mod dispatcher;
mod look;
mod postgres;
mod sqlite;

pub use dispatcher::{Dispatcher, Feed, Rest};
pub use look::{Found, Look, deliveries, uploads};
