//! The real programs as real processes, with real signals. A process ends with its test, and shows its log when the
//! test fails.

mod launch;
mod running;

use nix::{sys::signal::kill, unistd::Pid};

pub use launch::{Ended, Launch};
pub use nix::sys::signal::Signal;
pub use running::Running;

/// Sends a signal to a process that may be gone already.
pub(crate) fn send_signal(id: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(id.cast_signed()), signal);
}
