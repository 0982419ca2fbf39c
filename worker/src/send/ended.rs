//! From a report of the channel to what is recorded. Pure.

use std::time::Duration;

use bytes::Bytes;
use channels::SendReport;
use domain::{
    clock::Millis,
    delivery::{DeadReason, NextStep, RETRY_AFTER_CAP, RetrySchedule, SendResult, next_step},
    id::AttemptId,
};

use crate::{
    claim::Claimed,
    record::{AttemptRow, Ended, LaneEffect},
};

/// How long a lane rests after an overload that named no time.
const OVERLOAD_PAUSE: Duration = Duration::from_secs(1);

/// A delivery that was sent.
pub(super) fn sent(
    mut delivery: Claimed,
    id: AttemptId,
    started_at: Millis,
    report: SendReport,
    schedule: &RetrySchedule,
    jitter: f64,
) -> Ended {
    // Nobody needs it any more, and records may have to wait for the database.
    delivery.body = Bytes::new();
    let next = next_step(report.result, delivery.position(), schedule, jitter);
    let lane = lane_effect(report.result);
    let attempt = AttemptRow {
        id,
        number: delivery.attempt_number(),
        started_at,
        duration: report.timing.total,
        resolve: report.timing.resolve,
        connect: report.timing.connect,
        first_byte: report.timing.first_byte,
        status_code: report.status_code,
        error_class: report.error_class.map(|class| class.as_str()),
        error: report.error.map(|error| error.replace('\0', "")),
        request_headers: report.request_headers.into_json(),
        response_headers: report.response_headers.map(channels::HeaderRecord::into_json),
        response_body: report.response_body.into(),
    };
    Ended { delivery, attempt: Some(attempt), next, lane }
}

/// A delivery that is buried without being sent.
pub(super) const fn unsent(delivery: Claimed, reason: DeadReason) -> Ended {
    Ended { delivery, attempt: None, next: NextStep::Bury(reason), lane: None }
}

fn lane_effect(result: SendResult) -> Option<LaneEffect> {
    match result {
        SendResult::Gone => Some(LaneEffect::Disable),
        SendResult::Overloaded { retry_after } => {
            Some(LaneEffect::Pause(retry_after.unwrap_or(OVERLOAD_PAUSE).min(RETRY_AFTER_CAP)))
        }
        SendResult::Accepted | SendResult::Rejected | SendResult::Failed | SendResult::Unreadable => None,
    }
}
