//! Parses `Retry-After` in both its forms (RFC 9110 §10.2.3). Does not cap the wait.
//!
//! A date is relative to the response's own `Date`, so that a wrong clock of the receiver does not matter; our clock is used
//! only without a `Date`. A wait of zero counts as none.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::clock::Millis;
use http::{
    HeaderMap, HeaderName,
    header::{DATE, RETRY_AFTER},
};

/// Returns the wait that the response to a send at `sent_at` requests: whole seconds, or a date in any of HTTP's three formats
/// (RFC 9110 §5.6.7). `None` without a wait or when it can't be parsed.
pub(super) fn retry_after(headers: &HeaderMap, sent_at: Millis) -> Option<Duration> {
    let wish = text(headers, RETRY_AFTER)?;
    let wait = match seconds(wish) {
        Some(wait) => wait,
        None => date(wish)?.since(text(headers, DATE).and_then(date).unwrap_or(sent_at)),
    };
    Some(wait).filter(|wait| !wait.is_zero())
}

/// Returns the first of several values.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number that overflows still means very long.
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

fn date(text: &str) -> Option<Millis> {
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    let since_1970 = date.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_1970.as_millis()).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, less ten and a half seconds.
    const NOW: Millis = Millis(784_111_777_000 - 10_500);

    fn wait_of(text: &'static str) -> Option<Duration> {
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]), NOW)
    }

    fn dated(date: &'static str, text: &'static str) -> Option<Duration> {
        let date = (DATE, HeaderValue::from_static(date));
        retry_after(&HeaderMap::from_iter([date, (RETRY_AFTER, HeaderValue::from_static(text))]), NOW)
    }

    #[test]
    fn seconds_are_read() {
        assert_eq!(wait_of("1"), Some(Duration::from_secs(1)));
        assert_eq!(wait_of(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(wait_of("007"), Some(Duration::from_secs(7)));
        assert_eq!(wait_of("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn dates_of_all_three_forms_are_relative_to_the_send_where_the_answer_has_no_date() {
        let wait = Some(Duration::from_millis(10_500));
        assert_eq!(wait_of("Sun, 06 Nov 1994 08:49:37 GMT"), wait);
        assert_eq!(wait_of("Sunday, 06-Nov-94 08:49:37 GMT"), wait);
        assert_eq!(wait_of("Sun Nov  6 08:49:37 1994"), wait);
        assert_eq!(wait_of("Sun, 06 Nov 1993 08:49:37 GMT"), None, "the day of the week does not fit");
    }

    #[test]
    fn a_receiver_whose_clock_is_wrong_is_understood_by_its_own_date() {
        let minute = Some(Duration::from_secs(60));
        // A day ahead of us, and a day behind.
        assert_eq!(dated("Mon, 07 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:50:37 GMT"), minute);
        assert_eq!(dated("Sat, 05 Nov 1994 08:49:37 GMT", "Sat, 05 Nov 1994 08:50:37 GMT"), minute);
        assert_eq!(dated("Saturday, 05-Nov-94 08:49:37 GMT", "Sat Nov  5 08:50:37 1994"), minute);
        assert_eq!(dated("Mon, 07 Nov 1994 08:49:37 GMT", "60"), minute, "seconds need no clock");
        let by_ours = Some(Duration::from_millis(10_500));
        assert_eq!(dated("yesterday", "Sun, 06 Nov 1994 08:49:37 GMT"), by_ours);
    }

    #[test]
    fn a_wish_for_no_wait_is_none() {
        assert_eq!(wait_of("0"), None);
        assert_eq!(wait_of("Sat, 06 Nov 1993 08:49:37 GMT"), None);
        assert_eq!(dated("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"), None);
        assert_eq!(wait_of("Thu, 01 Jan 1970 00:00:00 GMT"), None);
    }

    #[test]
    fn anything_else_is_ignored() {
        for text in ["", "-1", "+1", "1.5", "soon", "10s", "1e3", "0x10", "Sun, 06 Nov 1994 08:49:37"] {
            assert_eq!(wait_of(text), None, "{text}");
        }
        let opaque = HeaderValue::from_bytes(b"\xff").expect("opaque");
        assert_eq!(retry_after(&HeaderMap::from_iter([(RETRY_AFTER, opaque)]), NOW), None);
        assert_eq!(retry_after(&HeaderMap::new(), NOW), None);
    }

    #[test]
    fn the_first_of_several_counts() {
        let two = ["7", "70"].map(|text| (RETRY_AFTER, HeaderValue::from_static(text)));
        let mut headers = HeaderMap::new();
        two.into_iter().for_each(|(name, value)| {
            headers.append(name, value);
        });
        assert_eq!(retry_after(&headers, NOW), Some(Duration::from_secs(7)));
    }
}
