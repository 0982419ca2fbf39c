//! When a worker that found nothing looks again: after a push, and every half second. Never sleeps with a waker lost.

use std::task::{Context, Poll};

use apalis_core::backend::ext::poll_strategy::{PollSnapshot, PollStrategy};
use futures_util::StreamExt;
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_stream::wrappers::WatchStream;

use super::POLL_EVERY;

/// Pushes, with a slow poll behind them for those that were missed.
pub(super) struct Wakes {
    pushed: WatchStream<u64>,
    polls: Interval,
}

impl Wakes {
    pub(super) fn new(pushed: watch::Receiver<u64>) -> Self {
        let mut polls = interval_at(Instant::now() + POLL_EVERY, POLL_EVERY);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { pushed: WatchStream::new(pushed), polls }
    }
}

impl PollStrategy for Wakes {
    // Polled until all are pending: a source that answered has not kept the waker, and apalis may sleep right after.
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut rung = false;
        while let Poll::Ready(Some(_)) = self.pushed.poll_next_unpin(cx) {
            rung = true;
        }
        while self.polls.poll_tick(cx).is_ready() {
            rung = true;
        }
        if rung { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}
