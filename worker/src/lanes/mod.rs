//! Lanes share the send slots of a worker: which may use another slot now, what waits for one, and which have more due than
//! they had slots for.

mod backlog;
mod fair_share;
mod holder;
mod pending_buffer;
mod send_rate;
mod send_slots;

pub use backlog::Backlog;
pub use fair_share::Share;
pub use holder::{Group, Holder};
pub use pending_buffer::{MAX_WAIT, PendingBuffer};
pub use send_slots::{ReservedSlots, SendSlot, SendSlots};
