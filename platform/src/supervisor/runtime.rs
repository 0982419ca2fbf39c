//! The runtime of a program, with a bounded shutdown: work on blocking threads, such as the inspection of a file, can't be
//! cancelled, and must not keep a stopped process alive.

use std::{process::ExitCode, time::Duration};

use tokio::runtime::Builder;

/// Longest wait for blocking threads after `main` has returned. Their work is lost with the process and done again.
const BLOCKING_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Runs `main` to its end and returns its exit code at most a second later.
pub fn run_program(main: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the runtime can't be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(main);
    runtime.shutdown_timeout(BLOCKING_ENDS_WITHIN);
    code
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc,
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn work_on_a_blocking_thread_does_not_keep_a_program_from_ending() {
        let (_kept, ends) = mpsc::channel::<()>();
        let began = Instant::now();
        let code = run_program(async {
            let (begins, begun) = tokio::sync::oneshot::channel();
            drop(tokio::task::spawn_blocking(move || {
                let _ = begins.send(());
                ends.recv()
            }));
            begun.await.expect("it runs");
            ExitCode::from(7)
        });
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(7)));
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
