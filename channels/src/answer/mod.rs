//! From an exchange to a report, the same way for every channel; what a status means is the channel's own to say.
//! Must not let through what the channel calls secret, also where the receiver says it back.

mod redact;
mod retry_after;

use bytes::Bytes;
use domain::{
    clock::Millis,
    delivery::{ErrorClass, SendResult},
};
use http::{HeaderMap, StatusCode};

pub(crate) use redact::Redactor;
use retry_after::retry_after;

use crate::{
    outbound::{Answer, Exchange},
    report::{HeaderRecord, SendReport, Timing},
};

/// What an answer came to: the result and, for a failure, its class.
pub(crate) type Classification = (SendResult, Option<ErrorClass>);

/// The judgement of a status that asks the whole lane to slow down, with the wait that the answer asks for.
pub(crate) fn overloaded(headers: &HeaderMap, sent_at: Millis) -> Classification {
    let retry_after = retry_after(headers, sent_at);
    (SendResult::Overloaded { retry_after }, Some(ErrorClass::Status))
}

/// The report of an exchange, whose answer `classify` understands; nothing `hidden` stands in it.
pub(crate) fn report(
    exchange: Exchange,
    request_headers: HeaderRecord,
    hidden: &Redactor,
    classify: impl FnOnce(StatusCode, &HeaderMap) -> Classification,
) -> SendReport {
    match exchange.answer {
        Ok(answer) => answered(answer, exchange.timing, request_headers, hidden, classify),
        Err(failure) => SendReport {
            result: if failure.is_local_shortage { SendResult::LocalShortage } else { SendResult::Failed },
            error_class: Some(failure.class),
            error: Some(hidden.in_text(failure.message)),
            status_code: None,
            request_headers,
            response_headers: None,
            response_body: Bytes::new(),
            timing: exchange.timing,
            parts_sent: 0,
        },
    }
}

fn answered(
    answer: Answer,
    timing: Timing,
    request_headers: HeaderRecord,
    hidden: &Redactor,
    classify: impl FnOnce(StatusCode, &HeaderMap) -> Classification,
) -> SendReport {
    let (result, error_class) = classify(answer.status, &answer.headers);
    SendReport {
        result,
        error_class,
        error: error_class.map(|class| words(answer.status, class)),
        status_code: Some(answer.status.as_u16()),
        request_headers,
        response_headers: Some(HeaderRecord::of_response(&hidden.in_headers(answer.headers))),
        response_body: hidden.in_body(answer.body),
        timing,
        parts_sent: 0,
    }
}

/// The failure in a few words: the status and its usual name.
fn words(status: StatusCode, class: ErrorClass) -> String {
    let name = status.canonical_reason().unwrap_or("an unknown status");
    let hint = if class == ErrorClass::Redirect { "; redirects are not followed" } else { "" };
    format!("answered {} {name}{hint}", status.as_u16())
}
