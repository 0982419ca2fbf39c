//! The result of a send, and the function that decides the next step.

use std::{fmt, str::FromStr, time::Duration};

use super::{DeadReason, RETRY_AFTER_CAP, RetrySchedule};
use crate::string_enum::string_enum;

string_enum! {
    /// The class of an attempt's failure, for filters and statistics.
    ErrorClass {
        /// The name did not resolve.
        Dns = "dns",
        /// The outbound guard refused the address.
        Guard = "guard",
        /// The connection was refused.
        Refused = "refused",
        /// The connection was reset.
        Reset = "reset",
        /// The TLS handshake failed, or the certificate is not valid.
        Tls = "tls",
        /// No connection within the connect deadline.
        ConnectTimeout = "connect_timeout",
        /// No complete response within the attempt's deadline.
        Timeout = "timeout",
        /// The response was not valid HTTP.
        Protocol = "protocol",
        /// A response with a status other than 2xx.
        Status = "status",
        /// A redirect; redirects are never followed.
        Redirect = "redirect",
        /// Our fault: the row or its secret can't be read, or this process ran out of file descriptors, memory, threads or
        /// local ports.
        Internal = "internal",
    }
}

/// The result of one send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendResult {
    /// The recipient answered 2xx.
    Accepted,
    /// 410: the recipient is permanently gone.
    Gone,
    /// The recipient will never accept this message.
    Rejected,
    /// This one of the lane's many recipients has unsubscribed: an expired subscription, a chat that blocked the bot.
    Unsubscribed,
    /// A response that asks the whole lane to slow down (429, 502, 503, 504).
    Overloaded {
        /// The wait that the recipient requested.
        retry_after: Option<Duration>,
    },
    /// Any other response or transport error.
    Failed,
    /// The row can't be sent at all: its secret can't be decrypted, or its address is damaged.
    Unreadable,
    /// This process ran out of file descriptors, memory, threads or local ports. Reveals nothing about the receiver and does
    /// not use up the schedule.
    LocalShortage,
}

impl SendResult {
    /// Whether a retry after this result moves the delivery to the next position of its schedule.
    #[must_use]
    pub const fn spends_position(self) -> bool {
        !matches!(self, Self::LocalShortage)
    }
}

/// Wait after a [`SendResult::LocalShortage`], ±20 %: long enough for other sends to end and free their resources.
pub const LOCAL_SHORTAGE_WAIT: Duration = Duration::from_secs(5);
/// Jitter of [`LOCAL_SHORTAGE_WAIT`], as a share of it.
const LOCAL_JITTER: f64 = 0.2;

/// The next step of a delivery after a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// The delivery succeeded.
    Succeed,
    /// Due again after the wait, at the next position of the schedule if [`SendResult::spends_position`].
    RetryIn(Duration),
    /// The delivery becomes a dead letter.
    DeadLetter(DeadReason),
}

/// Decides the next step after `result` of the send at `position` of the schedule (0 is the first attempt).
///
/// `jitter` is in -1.0 ..= 1.0 and moves a wait by up to ±20 %. A `Retry-After` is honoured up to
/// [`RETRY_AFTER_CAP`] and never shortens the schedule's own wait.
#[must_use]
pub fn next_step(result: SendResult, position: u16, schedule: &RetrySchedule, jitter: f64) -> NextStep {
    let asked = match result {
        SendResult::Accepted => return NextStep::Succeed,
        SendResult::Gone => return NextStep::DeadLetter(DeadReason::Gone),
        SendResult::Rejected => return NextStep::DeadLetter(DeadReason::Rejected),
        SendResult::Unsubscribed => return NextStep::DeadLetter(DeadReason::Unsubscribed),
        SendResult::Unreadable => return NextStep::DeadLetter(DeadReason::Unreadable),
        SendResult::LocalShortage => return NextStep::RetryIn(local_wait(jitter)),
        SendResult::Overloaded { retry_after } => retry_after.unwrap_or(Duration::ZERO).min(RETRY_AFTER_CAP),
        SendResult::Failed => Duration::ZERO,
    };
    schedule
        .wait_after(position, jitter)
        .map_or(NextStep::DeadLetter(DeadReason::ScheduleSpent), |wait| NextStep::RetryIn(wait.max(asked)))
}

fn local_wait(jitter: f64) -> Duration {
    LOCAL_SHORTAGE_WAIT.mul_f64(LOCAL_JITTER.mul_add(jitter.clamp(-1.0, 1.0), 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> RetrySchedule {
        "5s,5m".parse().expect("a valid schedule")
    }

    #[test]
    fn final_results_ignore_the_schedule() {
        for (result, step) in [
            (SendResult::Accepted, NextStep::Succeed),
            (SendResult::Gone, NextStep::DeadLetter(DeadReason::Gone)),
            (SendResult::Rejected, NextStep::DeadLetter(DeadReason::Rejected)),
            (SendResult::Unsubscribed, NextStep::DeadLetter(DeadReason::Unsubscribed)),
            (SendResult::Unreadable, NextStep::DeadLetter(DeadReason::Unreadable)),
        ] {
            assert_eq!(next_step(result, 0, &schedule(), 0.0), step);
        }
    }

    #[test]
    fn a_local_shortage_never_spends_the_schedule() {
        for position in [0, 1, 2, u16::MAX] {
            let step = next_step(SendResult::LocalShortage, position, &schedule(), 0.0);
            assert_eq!(step, NextStep::RetryIn(LOCAL_SHORTAGE_WAIT));
        }
        assert!(!SendResult::LocalShortage.spends_position());
        assert!(SendResult::Failed.spends_position());
        let wait = |jitter| next_step(SendResult::LocalShortage, 0, &schedule(), jitter);
        assert_eq!(wait(-1.0), NextStep::RetryIn(Duration::from_secs(4)));
        assert_eq!(wait(7.0), NextStep::RetryIn(Duration::from_secs(6)));
    }

    #[test]
    fn a_failure_waits_as_the_schedule_says_until_it_is_spent() {
        let at = |position| next_step(SendResult::Failed, position, &schedule(), 0.0);
        assert_eq!(at(0), NextStep::RetryIn(Duration::from_secs(5)));
        assert_eq!(at(1), NextStep::RetryIn(Duration::from_secs(300)));
        assert_eq!(at(2), NextStep::DeadLetter(DeadReason::ScheduleSpent));
    }

    #[test]
    fn retry_after_lengthens_a_wait_never_shortens_it_and_is_capped() {
        let wait = |seconds| {
            let result = SendResult::Overloaded { retry_after: Some(Duration::from_secs(seconds)) };
            next_step(result, 0, &schedule(), 0.0)
        };
        assert_eq!(wait(1), NextStep::RetryIn(Duration::from_secs(5)));
        assert_eq!(wait(60), NextStep::RetryIn(Duration::from_secs(60)));
        assert_eq!(wait(86_400), NextStep::RetryIn(RETRY_AFTER_CAP));
        assert_eq!(wait(86_401), NextStep::RetryIn(RETRY_AFTER_CAP));
    }

    #[test]
    fn an_overload_at_the_end_of_the_schedule_is_still_the_end() {
        let result = SendResult::Overloaded { retry_after: Some(Duration::from_secs(60)) };
        assert_eq!(next_step(result, 2, &schedule(), 0.0), NextStep::DeadLetter(DeadReason::ScheduleSpent));
    }
}
