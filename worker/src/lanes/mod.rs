//! Lanes share the send slots of a worker: which may use another slot now, what waits for one, and which have more due than
//! they had slots for.

mod backlog;
mod fair_share;
mod holder;
mod pace;
mod slots;
mod waiting_room;

pub use backlog::Backlog;
pub use fair_share::Share;
pub use holder::{Group, Holder};
pub use slots::{Reserved, Slot, Slots};
pub use waiting_room::{MAX_WAIT, WaitingRoom};
