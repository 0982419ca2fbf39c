//! What a process shows of itself: log lines and metrics. Never sends anything anywhere by itself.

mod lines;
mod logs;
mod metrics_recorder;
pub mod names;

pub use lines::Logging;
pub use logs::{LogError, init_logging, tell_notices};
pub use metrics_recorder::{Telemetry, TelemetryError};
