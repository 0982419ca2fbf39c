//! Interprets the status of a response. Pure.

use domain::{
    clock::Millis,
    delivery::{ErrorClass, SendResult},
};
use http::{HeaderMap, StatusCode};

use crate::answer::{Classification, overloaded};

/// Returns the result and, for a failure, its class. `Retry-After` counts only for statuses that slow the lane; otherwise the
/// schedule applies.
pub(super) fn classify(status: StatusCode, headers: &HeaderMap, sent_at: Millis) -> Classification {
    match status.as_u16() {
        200..=299 => (SendResult::Accepted, None),
        300..=399 => (SendResult::Failed, Some(ErrorClass::Redirect)),
        410 => (SendResult::Gone, Some(ErrorClass::Status)),
        429 | 502 | 503 | 504 => overloaded(headers, sent_at),
        _ => (SendResult::Failed, Some(ErrorClass::Status)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::header::RETRY_AFTER;

    use super::*;

    fn classified(status: u16, retry_after: Option<&'static str>) -> Classification {
        let status = StatusCode::from_u16(status).expect("a status");
        let headers =
            retry_after.map(|wait| (RETRY_AFTER, wait.parse().expect("a value"))).into_iter().collect();
        classify(status, &headers, Millis(0))
    }

    #[test]
    fn every_status_has_its_meaning() {
        for status in 100..=999 {
            let overloaded = SendResult::Overloaded { retry_after: None };
            let expected = match status {
                200..=299 => (SendResult::Accepted, None),
                300..=399 => (SendResult::Failed, Some(ErrorClass::Redirect)),
                410 => (SendResult::Gone, Some(ErrorClass::Status)),
                429 | 502 | 503 | 504 => (overloaded, Some(ErrorClass::Status)),
                _ => (SendResult::Failed, Some(ErrorClass::Status)),
            };
            assert_eq!(classified(status, None), expected, "{status}");
        }
    }

    #[test]
    fn retry_after_counts_for_an_overload_only() {
        let wait = Some(Duration::from_secs(7));
        for status in 100..=999 {
            let asked = match classified(status, Some("7")).0 {
                SendResult::Overloaded { retry_after } => retry_after,
                _ => None,
            };
            assert_eq!(asked, wait.filter(|_| [429, 502, 503, 504].contains(&status)), "{status}");
        }
        assert_eq!(classified(429, Some("x")).0, SendResult::Overloaded { retry_after: None });
        assert_eq!(
            classified(503, Some("0")).0,
            SendResult::Overloaded { retry_after: None },
            "still overloaded"
        );
    }
}
