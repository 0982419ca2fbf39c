//! The life of a delivery: its states, what a send may come to, and what is done next.
//! Pure: given the same facts it always decides the same.

mod channel;
mod display_status;
mod explain;
mod held;
mod lane;
mod outcome;
mod reason;
mod schedule;
mod state;

pub use channel::{Channel, LaneState};
pub use display_status::DisplayStatus;
pub use explain::{Facts, LaneFacts, LastAttempt, next_attempt, why};
pub use held::HeldLimits;
pub use lane::{
    BREAKER_FIRST_WAIT, BREAKER_LONGEST_WAIT, BREAKER_OPENS_AFTER, DISABLED_AFTER, LaneHealth, LaneSend,
    OVERLOAD_PAUSE, OffReason, Verdict,
};
pub use outcome::{ErrorClass, LOCAL_SHORTAGE_WAIT, NextStep, SendResult, next_step};
pub use reason::DeadReason;
pub use schedule::{RetrySchedule, ScheduleError, parse_duration, write_duration};
pub use state::DeliveryState;

/// Claims without a record after which a delivery is dead, `worker_lost`: it takes its workers with it.
pub const MAX_CLAIMS_WITHOUT_RECORD: u16 = 20;
/// Most of a response's body that is kept, in bytes. The rest is not read, and is no error.
pub const RESPONSE_BODY_KEPT: usize = 16 * 1024;
/// Most of a response's headers that is kept, in bytes of names and values.
pub const RESPONSE_HEADERS_KEPT: usize = 8 * 1024;
/// Longest `Retry-After` that is obeyed.
pub const RETRY_AFTER_CAP: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
