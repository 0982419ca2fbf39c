//! The dispatcher: finds due rows that nobody is working on – retries, lost hints, dead workers, resumed endpoints – and
//! hints them. Runs in every worker; safe in many.
//!
//! It goes lane by lane in turn, so that no lane delays another, by an index that makes a look cost the same with ten due
//! rows and with ten million. Of one lane never more is under way than its share, and of one with limits no more than these
//! allow. When Redis is away it feeds its own process straight from the database.

mod dispatcher;
mod hand_on;
mod limited;
mod look;
mod postgres;
mod share;
mod sqlite;
mod waiting;

pub use dispatcher::{Dispatcher, Rest};
pub use hand_on::Feed;
pub use limited::DRAIN_A_SECOND;
pub use look::{Bounds, Found, Look, Which, deliveries, deliveries_within, uploads};
pub use waiting::Waiting;
