//! `hookyard listen`: receives webhooks, prints each call and verifies its signature.

mod options;
mod render;
mod tally;

use std::process::ExitCode;

use anyhow::anyhow;
use platform::{clock::Clock, supervisor::stop_on_signals};
use tokio::sync::broadcast::{self, error::RecvError};

pub use options::Options;

use self::{render::entry, tally::Tally};
use crate::terminal::{Paint, say};
use receiver::{Call, Receiver};

/// Listens until Ctrl-C, then prints a summary.
///
/// # Errors
/// When the port is not available.
pub async fn command(options: Options) -> anyhow::Result<ExitCode> {
    let receiver = Receiver::start(options.port).await.map_err(|error| {
        anyhow!("port {} can't be listened on ({error}): choose another with --port", options.port)
    })?;
    let signals = stop_on_signals()?;
    let calls = receiver.subscribe();
    options.instruct(&receiver);
    let paint = Paint::of_stdout();
    say(&options.greeting(&receiver, paint));
    let mut tally = Tally::default();
    signals.stop.run_until_cancelled(follow(calls, &options, &mut tally, paint)).await;
    receiver.stop().await;
    say(&format!("\n{}", tally.sum()));
    Ok(ExitCode::SUCCESS)
}

async fn follow(mut calls: broadcast::Receiver<Call>, options: &Options, tally: &mut Tally, paint: Paint) {
    let clock = Clock::default();
    loop {
        match calls.recv().await {
            Ok(call) => {
                let now = clock.now();
                let verdict = options.secret.as_ref().map(|secret| call.verify(secret, now));
                let seen = tally.count(&call, verdict.as_ref());
                say(&entry(&call, now, seen, verdict.as_ref(), paint));
            }
            Err(RecvError::Lagged(missed)) => {
                tally.missed(missed);
                say(&paint.dim(&format!("… {missed} calls came too fast to be shown")));
            }
            Err(RecvError::Closed) => return,
        }
    }
}
