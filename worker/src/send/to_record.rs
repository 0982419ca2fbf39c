//! From a report of the channel to what is recorded. Pure.

use bytes::Bytes;
use channels::SendReport;
use domain::{
    clock::Millis,
    delivery::{DeadReason, LaneSend, NextStep, RetrySchedule, SendResult, Verdict, next_step},
    id::AttemptId,
    notification::UNPROVEN_PUSH_LANE,
};
use entity::delivery::record::{AttemptRow, GivenUp, RecipientUpdate, SendResultRow};

use crate::claim::{Claimed, Recipient};

/// When a send started, by the two clocks that are asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Started {
    /// By this process's clock, as the attempt shows it.
    pub(super) here: Millis,
    /// By the database's clock, by which sends of all processes are put in order.
    pub(super) in_database: Millis,
}

/// A delivery that was sent.
pub(super) fn sent(
    mut delivery: Claimed,
    id: AttemptId,
    started: Started,
    report: SendReport,
    schedule: &RetrySchedule,
    jitter: f64,
) -> SendResultRow {
    // It is not needed any more, and records may have to wait for the database.
    delivery.row.body = Bytes::new();
    let spends_position = report.result.spends_position();
    let next = next_step(report.result, delivery.position(), schedule, jitter);
    let is_of_one_service = delivery.lane_id() != UNPROVEN_PUSH_LANE;
    let verdict = Verdict::from_result(report.result, report.error_class).filter(|_| is_of_one_service);
    let lane = verdict.map(|verdict| LaneSend { started_at: started.in_database, verdict });
    let at = started.in_database;
    let is_first_success = next == NextStep::Succeed && is_never_reached(&delivery);
    let recipient = RecipientUpdate {
        id: delivery.recipient.id(),
        left_at: (report.result == SendResult::Unsubscribed).then_some(at),
        given_up: given_up(&delivery, next, at),
        reached_at: is_first_success.then_some(at),
        parts_sent: report.parts_sent,
    };
    let attempt = AttemptRow {
        id,
        number: delivery.attempt_number(),
        started_at: started.here,
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
    SendResultRow { delivery: delivery.row, attempt: Some(attempt), next, spends_position, lane, recipient }
}

fn is_never_reached(delivery: &Claimed) -> bool {
    matches!(&delivery.recipient, Recipient::Subscription(subscription) if !subscription.is_reached)
}

/// That a delivery to a subscription is dead which no message had reached.
fn given_up(delivery: &Claimed, next: NextStep, at: Millis) -> Option<GivenUp> {
    let refused = match next {
        NextStep::DeadLetter(DeadReason::ScheduleSpent) => false,
        NextStep::DeadLetter(DeadReason::Rejected) => true,
        _ => return None,
    };
    is_never_reached(delivery).then_some(GivenUp { at, refused })
}

/// A delivery that is buried without being sent.
pub(super) fn unsent(delivery: Claimed, reason: DeadReason) -> SendResultRow {
    let recipient = RecipientUpdate { id: delivery.recipient.id(), ..RecipientUpdate::default() };
    let (delivery, next) = (delivery.row, NextStep::DeadLetter(reason));
    SendResultRow { delivery, attempt: None, next, spends_position: true, lane: None, recipient }
}
