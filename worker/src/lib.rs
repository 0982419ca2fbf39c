//! The worker: sends what was handed over, claims everything else that is due, and records what came of it.
//! The database is the only source of truth; a job of the queue is only the fast way to a first attempt.

pub mod broadcasts;
pub mod claim;
pub mod doctor;
mod due;
pub mod endpoints;
pub mod handover;
pub mod inspect;
pub mod jobs;
pub mod lanes;
pub mod leases;
pub mod maintenance;
pub mod queue_workers;
pub mod record;
pub mod replays;
pub mod retention;
pub mod send;
mod services;
pub mod uploads;

/// Milliseconds with three decimals, as log fields show them.
fn rounded_ms(duration: std::time::Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1e3)
}

pub use services::{dashboard, dashboard_on, services};
