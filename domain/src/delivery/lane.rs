//! The health of a lane, folded from the results of its sends in the order of their start.
//! Decides when the breaker opens and closes and when the lane is disabled; never the fate of a delivery.

use std::{fmt, str::FromStr, time::Duration};

use super::{ErrorClass, LaneState, RETRY_AFTER_CAP, SendResult};
use crate::{
    clock::{Millis, millis},
    string_enum::string_enum,
};

/// Consecutive failed sends after which the breaker opens.
pub const BREAKER_OPENS_AFTER: i32 = 10;
/// First wait of an open breaker; each failed probe doubles it.
pub const BREAKER_FIRST_WAIT: Duration = Duration::from_secs(30);
/// Longest wait of an open breaker before the next probe.
pub const BREAKER_LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Time of failures without a success after which a lane is disabled.
pub const DISABLED_AFTER: Duration = Duration::from_secs(5 * 24 * 3600);
/// Pause of a lane after an overload response without `Retry-After`.
pub const OVERLOAD_PAUSE: Duration = Duration::from_secs(1);

string_enum! {
    /// Why a lane was disabled automatically.
    OffReason {
        /// Its receiver answered 410.
        Gone = "gone",
        /// It had no success for five days of failing.
        Failing = "failing",
    }
}

/// What one send reveals about the health of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver accepted the send, or reported that one of its many recipients has unsubscribed.
    Succeeded,
    /// The send failed, or got no response.
    Failed,
    /// The receiver asked the whole lane to pause.
    Overloaded {
        /// The requested pause.
        pause: Duration,
    },
    /// The receiver answered 410 Gone.
    Gone,
}

impl Verdict {
    /// Returns the verdict of a result, or `None` when it reveals nothing about the receiver: the fault is ours, or lies in the
    /// message (a receiver that rejects a message is alive).
    #[must_use]
    pub fn from_result(result: SendResult, class: Option<ErrorClass>) -> Option<Self> {
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

/// One send, as it counts for its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneSend {
    /// When it started, by the database's clock.
    pub started_at: Millis,
    /// Its verdict.
    pub verdict: Verdict,
}

/// The health of a lane. A time of 0 means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneHealth {
    /// Whether it may be used.
    pub state: LaneState,
    /// No sends before this time: the receiver asked to slow down.
    pub blocked_until: Millis,
    /// Consecutive failed sends, by start, since the last success.
    pub failures: i32,
    /// When the first of these failures started.
    pub failing_since: Millis,
    /// When the last successful send started.
    pub succeeded_at: Millis,
    /// 0: the breaker is closed. Otherwise it is open until this time and half-open afterwards.
    pub breaker_until: Millis,
    /// The last wait of the breaker, in ms.
    pub breaker_wait: i64,
    /// Deliveries due before this time drain at a bounded rate.
    pub drain_before: Millis,
    /// Since when it is paused or disabled.
    pub off_since: Millis,
    /// Why it was disabled.
    pub off_reason: Option<OffReason>,
    /// When the lane was last resumed; sends that started earlier are ignored.
    pub resumed_at: Millis,
    /// Whether the owner has yet to be notified that the lane was disabled.
    pub tell_owner: bool,
    /// Whether the lane has an owner who could resume it. The lane of a push service or a bot has none: it is never disabled, its
    /// breaker keeps probing, and its deliveries end with their schedule.
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
    /// Returns the health after these sends, applied in the order in which they started.
    #[must_use]
    pub fn after(self, sends: &[LaneSend], now: Millis) -> Self {
        let mut sends = sends.to_vec();
        sends.sort_by_key(|send| (send.started_at, order(send.verdict)));
        sends.into_iter().fold(self, |health, send| health.after_one(send, now))
    }

    /// Whether the breaker is open or half-open.
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
            // 410 is final whatever the order. A lane that its owner paused stays paused: the first send after the resume
            // finds out again.
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
            // Sends from before the breaker opened add no information.
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

/// Orders sends that started in the same millisecond, so that the order of arrival does not matter.
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
