//! Formats durations for people, short enough for a table cell. Every caller formats them the same way.

use crate::{clock::Millis, number_format::as_f64};

/// Formats a measured duration in µs: `840 µs`, `12.3 ms`, `1.24 s`.
#[must_use]
pub fn microseconds(measured: i64) -> String {
    let measured = u64::try_from(measured).unwrap_or(0);
    match measured {
        0..=999 => format!("{measured} µs"),
        1_000..=99_949 => format!("{:.1} ms", as_f64(measured) / 1e3),
        99_950..=999_499 => format!("{:.0} ms", as_f64(measured) / 1e3),
        _ => format!("{:.2} s", as_f64(measured) / 1e6),
    }
}

/// Formats whole seconds in the largest fitting unit, rounded down: `3 s`, `4 min`, `2 h`, `5 days`.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Formats a time relative to `now`: `now`, `3 s ago`, `in 4 min`.
#[must_use]
pub fn relative(at: Millis, now: Millis) -> String {
    match (at.since(now).as_secs(), now.since(at).as_secs()) {
        (0, 0) => "now".to_owned(),
        (0, behind) => format!("{} ago", span(behind)),
        (ahead, _) => format!("in {}", span(ahead)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_times_keep_three_digits() {
        assert_eq!(microseconds(-1), "0 µs");
        assert_eq!(microseconds(999), "999 µs");
        assert_eq!(microseconds(12_345), "12.3 ms");
        assert_eq!(microseconds(99_950), "100 ms");
        assert_eq!(microseconds(1_240_000), "1.24 s");
    }

    #[test]
    fn spans_round_down() {
        assert_eq!(span(59), "59 s");
        assert_eq!(span(119), "1 min");
        assert_eq!(span(86_400), "24 h");
        assert_eq!(span(172_800), "2 days");
    }

    #[test]
    fn a_time_is_relative_to_now() {
        let relative_to_now = |ms| relative(Millis(ms), Millis(1_000_000_000));
        assert_eq!(relative_to_now(1_000_000_999), "now");
        assert_eq!(relative_to_now(999_997_000), "3 s ago");
        assert_eq!(relative_to_now(1_000_240_000), "in 4 min");
    }
}
