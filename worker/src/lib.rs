//! The worker: claims what is due, sends it, records what came of it, and finds what got lost.
//! Takes work from the database; the queue only says where to look.

pub mod broadcasts;
pub mod claim;
pub mod dispatch;
pub mod doctor;
pub mod inspect;
pub mod janitors;
pub mod jobs;
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
