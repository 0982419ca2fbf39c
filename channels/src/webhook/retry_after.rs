//! `Retry-After` in both its forms (RFC 9110 §10.2.3).

use std::time::{Duration, UNIX_EPOCH};

use domain::clock::Millis;
use http::HeaderValue;

/// The wait asked for: seconds, or a date relative to `now`. A date that has passed is a wait of zero;
/// anything else is no wish at all. Not capped here.
pub(super) fn retry_after(value: &HeaderValue, now: Millis) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than fit is still a wish for very long.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let date = i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
    Some(Millis(date).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, less ten and a half seconds.
    const NOW: Millis = Millis(784_111_777_000 - 10_500);

    fn of(text: &'static str) -> Option<Duration> {
        retry_after(&HeaderValue::from_static(text), NOW)
    }

    #[test]
    fn seconds_are_read() {
        assert_eq!(of("0"), Some(Duration::ZERO));
        assert_eq!(of(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(of("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn dates_are_relative_to_the_send() {
        let wait = Some(Duration::from_millis(10_500));
        assert_eq!(of("Sun, 06 Nov 1994 08:49:37 GMT"), wait);
        assert_eq!(of("Sunday, 06-Nov-94 08:49:37 GMT"), wait);
        assert_eq!(of("Sun Nov  6 08:49:37 1994"), wait);
        assert_eq!(of("Sun, 06 Nov 1993 08:49:37 GMT"), None, "the day of the week does not fit");
        assert_eq!(of("Sat, 06 Nov 1993 08:49:37 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn anything_else_is_ignored() {
        for text in ["", "-1", "1.5", "soon", "10s", "Sun, 06 Nov 1994 08:49:37"] {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderValue::from_bytes(b"\xff").expect("opaque"), NOW), None);
    }
}
