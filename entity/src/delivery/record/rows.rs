//! What is recorded of a delivery that was sent, or that will not be.

use std::time::Duration;

use domain::{
    clock::Millis,
    delivery::{DeadReason, DeliveryState, LaneSend, NextStep},
    id::{AttemptId, ErrorId},
};
use uuid::Uuid;

use super::RecipientUpdate;
use crate::delivery::claim::ClaimedRow;

/// One attempt, as it is stored.
#[derive(Clone, Debug)]
pub struct AttemptRow {
    /// Its id.
    pub id: AttemptId,
    /// Its number, from 1.
    pub number: i32,
    /// When it started, by this process's clock.
    pub started_at: Millis,
    /// The whole of it.
    pub duration: Duration,
    /// Name resolution.
    pub resolve: Option<Duration>,
    /// Connect and TLS of a new connection.
    pub connect: Option<Duration>,
    /// Until the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// The status of the answer.
    pub status_code: Option<u16>,
    /// A word of `ErrorClass`.
    pub error_class: Option<&'static str>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// As JSON, secrets masked.
    pub request_headers: String,
    /// As JSON.
    pub response_headers: Option<String>,
    /// The head of the body.
    pub response_body: Vec<u8>,
}

impl AttemptRow {
    /// The status as it is stored.
    pub(super) fn status(&self) -> Option<i16> {
        self.status_code.and_then(|code| i16::try_from(code).ok())
    }
}

/// The result of a send: the claimed delivery, its attempt, and what follows.
#[derive(Clone, Debug)]
pub struct SendResultRow {
    /// The delivery, and the claim that the move is fenced by.
    pub delivery: ClaimedRow,
    /// The attempt; none when nothing was sent.
    pub attempt: Option<AttemptRow>,
    /// What happens to the delivery.
    pub next: NextStep,
    /// Whether a retry moves it to the next position of its schedule: not after a shortage on this machine.
    pub spends_position: bool,
    /// What the send says of its lane; none when it says nothing.
    pub lane: Option<LaneSend>,
    /// What the send says of its recipient.
    pub recipient: RecipientUpdate,
}

impl SendResultRow {
    /// Attempts made so far, this one included.
    #[must_use]
    pub fn attempts(&self) -> i32 {
        self.attempt.as_ref().map_or(self.delivery.attempt_number() - 1, |attempt| attempt.number)
    }

    /// How the delivery finished, if it did.
    #[must_use]
    pub const fn finished(&self) -> Option<(DeliveryState, Option<DeadReason>)> {
        match self.next {
            NextStep::Succeed => Some((DeliveryState::Succeeded, None)),
            NextStep::DeadLetter(reason) => Some((DeliveryState::Dead, Some(reason))),
            NextStep::RetryIn(_) => None,
        }
    }

    /// Whether its attempt is kept with the finished delivery: the first one, which succeeded.
    pub(super) fn is_kept_with_finished(&self) -> bool {
        self.kept_attempt().is_some()
    }

    /// The attempt that is kept with the finished delivery.
    pub(super) fn kept_attempt(&self) -> Option<&AttemptRow> {
        let attempt = self.attempt.as_ref()?;
        let is_plain = attempt.error_class.is_none() && attempt.error.is_none();
        (self.next == NextStep::Succeed && attempt.number == 1 && is_plain).then_some(attempt)
    }

    /// The wait before the next attempt, if there is one.
    pub(super) const fn retry_in(&self) -> Option<Duration> {
        match self.next {
            NextStep::RetryIn(wait) => Some(wait),
            NextStep::Succeed | NextStep::DeadLetter(_) => None,
        }
    }

    /// How far a retry moves it in its schedule.
    pub(super) fn step(&self) -> i32 {
        i32::from(self.spends_position)
    }

    /// The line of the error log, if this failed.
    pub(super) fn failure(&self) -> Option<String> {
        let reason = match self.next {
            NextStep::Succeed => return None,
            NextStep::RetryIn(_) => String::new(),
            NextStep::DeadLetter(reason) => format!(" (dead: {reason})"),
        };
        let attempt = self.attempt.as_ref();
        let what = match attempt.map(|attempt| (attempt.status_code, attempt.error.as_deref())) {
            Some((_, Some(error))) => error.to_owned(),
            Some((Some(status), None)) => format!("answered {status}"),
            _ => "was not sent".to_owned(),
        };
        Some(format!("{what}{reason}"))
    }

    /// The id of its line in the error log: the attempt's, so that a record that is tried again writes no second line.
    pub(super) fn log_id(&self) -> Uuid {
        self.attempt.as_ref().map_or_else(|| ErrorId::new().0, |attempt| attempt.id.0)
    }

    /// Without what only the receiver said, for a database that would not store it.
    #[must_use]
    pub fn without_answer(mut self) -> Self {
        if let Some(attempt) = &mut self.attempt {
            attempt.response_headers = None;
            attempt.response_body = Vec::new();
            attempt.error = attempt.error.as_ref().map(|_| "could not be stored".to_owned());
        }
        self
    }
}

/// A delivery that was sent, and its attempt.
pub(super) type Tried<'r> = (&'r SendResultRow, &'r AttemptRow);

/// Microseconds of a duration, as they are stored.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
