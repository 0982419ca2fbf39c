//! Interprets responses of push services (RFC 8030 §5, §7.2, §7.3). Pure.

use domain::{
    clock::Millis,
    delivery::{ErrorClass, SendResult},
};
use http::{HeaderMap, StatusCode};

use crate::answer::{Classification, overloaded};

/// Returns the result and, for a failure, its class. A push service serves many browsers: errors of the service slow its lane,
/// errors of a subscription end that subscription, and errors of our request are permanent.
pub(super) fn classify(status: StatusCode, headers: &HeaderMap, sent_at: Millis) -> Classification {
    match status.as_u16() {
        200..=299 => (SendResult::Accepted, None),
        300..=399 => (SendResult::Failed, Some(ErrorClass::Redirect)),
        404 | 410 => (SendResult::Unsubscribed, Some(ErrorClass::Status)),
        429 | 500..=599 => overloaded(headers, sent_at),
        408 => (SendResult::Failed, Some(ErrorClass::Status)),
        400..=499 => (SendResult::Rejected, Some(ErrorClass::Status)),
        _ => (SendResult::Failed, Some(ErrorClass::Status)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::header::RETRY_AFTER;

    use super::*;

    fn classified(status: u16, wait: &'static str) -> Classification {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, wait.parse().expect("a value"))]);
        classify(StatusCode::from_u16(status).expect("a status"), &headers, Millis(0))
    }

    #[test]
    fn every_status_has_its_meaning() {
        let retry_after = Some(Duration::from_secs(7));
        for status in 100..=999 {
            let result = match status {
                200..=299 => SendResult::Accepted,
                404 | 410 => SendResult::Unsubscribed,
                429 | 500..=599 => SendResult::Overloaded { retry_after },
                100..=199 | 300..=399 | 408 | 600.. => SendResult::Failed,
                _ => SendResult::Rejected,
            };
            let class = match status {
                200..=299 => None,
                300..=399 => Some(ErrorClass::Redirect),
                _ => Some(ErrorClass::Status),
            };
            assert_eq!(classified(status, "7"), (result, class), "{status}");
        }
        assert_eq!(classified(500, "soon").0, SendResult::Overloaded { retry_after: None });
    }
}
