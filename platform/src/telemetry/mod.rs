//! Telemetry of a process: log lines and metrics. Never sends data anywhere on its own.

mod lines;
mod logs;
mod metrics_recorder;
pub mod names;

pub use lines::Logging;
pub use logs::{LogError, init_logging, log_notices};
pub use metrics_recorder::{Telemetry, TelemetryError};
