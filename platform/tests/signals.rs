//! The first signal asks for a stop, the second ends at once. A file of its own: signals reach the whole process.

use nix::sys::signal::{Signal::SIGINT, Signal::SIGTERM, raise};
use platform::supervisor::{Signal, stop_on_signals};

#[tokio::test]
async fn the_first_signal_stops_and_the_second_is_told() {
    let signals = stop_on_signals().expect("handlers");
    raise(SIGTERM).expect("raise");
    signals.stop.cancelled().await;
    raise(SIGINT).expect("raise");
    assert_eq!(signals.second.await, Ok(Signal::Interrupt));
    assert_eq!((Signal::Interrupt.exit_code(), Signal::Terminate.exit_code()), (130, 143));
}
