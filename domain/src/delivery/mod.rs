//! The life of a delivery: its states, the results of a send, and the next step.
//! Pure: the same facts always lead to the same decision.

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
pub use explain::{Facts, LaneFacts, LastAttempt, explain, next_attempt};
pub use held::HeldLimits;
pub use lane::{
    BREAKER_FIRST_WAIT, BREAKER_LONGEST_WAIT, BREAKER_OPENS_AFTER, DISABLED_AFTER, LaneHealth, LaneSend,
    OVERLOAD_PAUSE, OffReason, Verdict,
};
pub use outcome::{ErrorClass, LOCAL_SHORTAGE_WAIT, NextStep, SendResult, next_step};
pub use reason::DeadReason;
pub use schedule::{RetrySchedule, ScheduleError, parse_duration, write_duration};
pub use state::DeliveryState;

/// Claims without a record after which a delivery is dead with the reason `worker_lost`: it may be crashing its workers.
pub const MAX_CLAIMS_WITHOUT_RECORD: u16 = 20;
/// Bytes of a response body that are stored. The rest is not read; that is no error.
pub const RESPONSE_BODY_KEPT: usize = 16 * 1024;
/// Bytes of response headers (names and values) that are stored.
pub const RESPONSE_HEADERS_KEPT: usize = 8 * 1024;
/// Longest `Retry-After` that is honoured.
pub const RETRY_AFTER_CAP: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
