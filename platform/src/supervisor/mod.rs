//! Runs the services of a process, stops them in order, and says which one failed. Knows nothing of what they do.

mod run;
mod runtime;
mod service;
mod signals;

pub use run::{Failed, Supervisor};
pub use runtime::run_program;
pub use service::{BoxError, Service};
pub use signals::{Signal, Signals, run_until_signal, stop_on_signals};
