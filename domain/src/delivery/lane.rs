//! The health of a lane: what its sends say of it, folded by the time at which they started.
//! Decides when its breaker opens and closes and when it is disabled; never what becomes of a delivery.

use std::{fmt, str::FromStr, time::Duration};

use super::{ErrorClass, LaneState, RETRY_AFTER_CAP, SendResult};
use crate::{
    clock::{Millis, millis},
    words::words,
};

/// Failed sends in a row after which the breaker opens.
pub const BREAKER_OPENS_AFTER: i32 = 10;
/// How long the breaker stays open at first; each failed probe doubles it.
pub const BREAKER_FIRST_WAIT: Duration = Duration::from_secs(30);
/// Longest that the breaker stays open before the next probe.
pub const BREAKER_LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Failing for so long without a success, a lane is disabled.
pub const DISABLED_AFTER: Duration = Duration::from_secs(5 * 24 * 3600);
/// How long a lane rests after an overload that named no time.
pub const OVERLOAD_PAUSE: Duration = Duration::from_secs(1);

words! {
    /// Why we disabled a lane.
    OffReason {
        /// Its receiver answered 410.
        Gone = "gone",
        /// It had no success for five days of failing.
        Failing = "failing",
    }
}

/// What one send says of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver accepted, or told in good order that one of its many recipients has left.
    Succeeded,
    /// It did not, or there was no answer.
    Failed,
    /// It asked the whole lane to rest for so long.
    Overloaded {
        /// How long.
        pause: Duration,
    },
    /// 410.
    Gone,
}

impl Verdict {
    /// The verdict of a result and its class, or `None` when it says nothing of the receiver: the fault is ours, or it
    /// lies in what was sent (a receiver that rejects a message is alive).
    #[must_use]
    pub fn of(result: SendResult, class: Option<ErrorClass>) -> Option<Self> {
        if class == Some(ErrorClass::Internal) {
            return None;
        }
        match result {
            SendResult::Accepted | SendResult::Unsubscribed => Some(Self::Succeeded),
            SendResult::Gone => Some(Self::Gone),
            SendResult::Overloaded { retry_after } => {
                Some(Self::Overloaded { pause: retry_after.unwrap_or(OVERLOAD_PAUSE).min(RETRY_AFTER_CAP) })
            }
            SendResult::Failed => Some(Self::Failed),
            SendResult::Rejected | SendResult::Unreadable | SendResult::LocalShortage => None,
        }
    }
}

/// One send, as its lane sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneSend {
    /// When it started, by the database's clock.
    pub started_at: Millis,
    /// What it says.
    pub verdict: Verdict,
}

/// What is known of a lane's health. A time of 0 means that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneHealth {
    /// Whether it may be used.
    pub state: LaneState,
    /// Nothing is sent before then: its receiver asked to slow down.
    pub blocked_until: Millis,
    /// Failed sends in a row, by start, since the last success.
    pub failures: i32,
    /// When the first of these started.
    pub failing_since: Millis,
    /// When the last send that succeeded started.
    pub succeeded_at: Millis,
    /// 0: closed. Else open until then, and half open from then on.
    pub breaker_until: Millis,
    /// How long it was opened last, in ms.
    pub breaker_wait: i64,
    /// What was due before then drains at a bounded rate.
    pub drain_before: Millis,
    /// Since when it is paused or disabled.
    pub off_since: Millis,
    /// Why it was disabled.
    pub off_reason: Option<OffReason>,
    /// When it was last resumed; sends that started earlier say nothing.
    pub resumed_at: Millis,
    /// Whether its owner has yet to be told that it was disabled.
    pub tell_owner: bool,
    /// Whether there is an owner who could resume it. A push service or a bot has no owner: it is never disabled, its
    /// breaker goes on probing, and what waits for it dies by its schedule.
    pub has_owner: bool,
}

impl Default for LaneHealth {
    fn default() -> Self {
        const NEVER: Millis = Millis(0);
        Self {
            state: LaneState::Active,
            blocked_until: NEVER,
            failures: 0,
            failing_since: NEVER,
            succeeded_at: NEVER,
            breaker_until: NEVER,
            breaker_wait: 0,
            drain_before: NEVER,
            off_since: NEVER,
            off_reason: None,
            resumed_at: NEVER,
            tell_owner: false,
            has_owner: true,
        }
    }
}

impl LaneHealth {
    /// The health after these sends, in the order in which they started, whatever order they come in.
    #[must_use]
    pub fn after(self, sends: &[LaneSend], now: Millis) -> Self {
        let mut sends = sends.to_vec();
        sends.sort_by_key(|send| (send.started_at, order(send.verdict)));
        sends.into_iter().fold(self, |health, send| health.after_one(send, now))
    }

    /// Whether its breaker is not closed.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.breaker_until.0 > 0
    }

    fn after_one(mut self, send: LaneSend, now: Millis) -> Self {
        if send.started_at < self.resumed_at || self.state == LaneState::Deleted {
            return self;
        }
        match send.verdict {
            Verdict::Succeeded => self.succeed(send.started_at, now),
            Verdict::Failed => self.fail(send.started_at, now),
            Verdict::Overloaded { pause } => {
                self.blocked_until = self.blocked_until.max(now + pause);
                self.fail(send.started_at, now);
            }
            // Its word is final, in whatever order it comes. A lane that its owner paused stays paused: the first send
            // after the resume asks again.
            Verdict::Gone => self.disable(OffReason::Gone, now),
        }
        self
    }

    fn succeed(&mut self, started_at: Millis, now: Millis) {
        self.succeeded_at = self.succeeded_at.max(started_at);
        if started_at < self.failing_since {
            return;
        }
        self.failures = 0;
        self.failing_since = Millis(0);
        if self.is_broken() {
            self.breaker_until = Millis(0);
            self.breaker_wait = 0;
            self.drain_before = now;
        }
    }

    fn fail(&mut self, started_at: Millis, now: Millis) {
        if started_at <= self.succeeded_at {
            return;
        }
        let first = if self.failures == 0 { started_at } else { self.failing_since.min(started_at) };
        self.failing_since = first;
        self.failures = self.failures.saturating_add(1);
        if self.is_broken() {
            // Others were sent before it opened and say nothing new.
            if started_at >= self.breaker_until {
                self.open(millis(BREAKER_LONGEST_WAIT).min(self.breaker_wait.saturating_mul(2)), now);
            }
        } else if self.failures >= BREAKER_OPENS_AFTER {
            self.open(millis(BREAKER_FIRST_WAIT), now);
        }
        if now.0.saturating_sub(first.0) >= millis(DISABLED_AFTER) {
            self.disable(OffReason::Failing, now);
        }
    }

    fn open(&mut self, wait: i64, now: Millis) {
        self.breaker_wait = wait.max(millis(BREAKER_FIRST_WAIT));
        self.breaker_until = Millis(now.0.saturating_add(self.breaker_wait));
    }

    fn disable(&mut self, reason: OffReason, now: Millis) {
        if self.state != LaneState::Active || !self.has_owner {
            return;
        }
        self.state = LaneState::Disabled;
        self.off_since = now;
        self.off_reason = Some(reason);
        self.tell_owner = true;
    }
}

/// Sends that started in one millisecond are taken in this order, so that the order of arrival says nothing.
const fn order(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Failed => 0,
        Verdict::Overloaded { .. } => 1,
        Verdict::Gone => 2,
        Verdict::Succeeded => 3,
    }
}

#[cfg(test)]
mod tests;
