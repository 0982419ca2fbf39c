//! Starts a program, runs its services, stops them in order, and reports which one failed. Independent of what they do.

mod entry;
mod run;
mod runtime;
mod service;
mod signals;

pub use entry::serve;
pub use run::{Failed, Supervisor};
pub use runtime::run_program;
pub use service::{BoxError, Service};
pub use signals::{Signal, Signals, run_until_signal, stop_on_signals};
