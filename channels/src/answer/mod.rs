//! Turns an exchange into a report, the same way for every channel; each channel interprets statuses itself.
//! Must remove the channel's secrets, also where the receiver echoes them.

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

/// The meaning of a response: the result and, for a failure, its class.
pub(crate) type Classification = (SendResult, Option<ErrorClass>);

/// Classifies a status that asks the whole lane to slow down, with the wait that the response requests.
pub(crate) fn overloaded(headers: &HeaderMap, sent_at: Millis) -> Classification {
    let retry_after = retry_after(headers, sent_at);
    (SendResult::Overloaded { retry_after }, Some(ErrorClass::Status))
}

/// Builds the report of an exchange, interpreted by `classify` and redacted by `redactor`.
pub(crate) fn report(
    exchange: Exchange,
    request_headers: HeaderRecord,
    redactor: &Redactor,
    classify: impl FnOnce(StatusCode, &HeaderMap) -> Classification,
) -> SendReport {
    match exchange.answer {
        Ok(answer) => answered(answer, exchange.timing, request_headers, redactor, classify),
        Err(failure) => SendReport {
            result: if failure.is_local_shortage { SendResult::LocalShortage } else { SendResult::Failed },
            error_class: Some(failure.class),
            error: Some(redactor.redact_text(failure.message)),
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
    redactor: &Redactor,
    classify: impl FnOnce(StatusCode, &HeaderMap) -> Classification,
) -> SendReport {
    let (result, error_class) = classify(answer.status, &answer.headers);
    SendReport {
        result,
        error_class,
        error: error_class.map(|class| error_text(answer.status, class)),
        status_code: Some(answer.status.as_u16()),
        request_headers,
        response_headers: Some(HeaderRecord::from_response(&redactor.redact_headers(answer.headers))),
        response_body: redactor.redact_body(answer.body),
        timing,
        parts_sent: 0,
    }
}

/// Describes a failure: the status and its canonical name.
fn error_text(status: StatusCode, class: ErrorClass) -> String {
    let name = status.canonical_reason().unwrap_or("an unknown status");
    let hint = if class == ErrorClass::Redirect { "; redirects are not followed" } else { "" };
    format!("answered {} {name}{hint}", status.as_u16())
}
