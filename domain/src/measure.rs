//! Spans of time in words, short enough for a table's cell. Everybody who shows one writes it the same way.

use crate::clock::Millis;

/// A measured time: `840 µs`, `12.3 ms`, `1.24 s`.
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

/// How long something lasts, in the largest unit that says enough: `3 s`, `4 min`, `2 h`, `5 days`.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A time as seen from `now`: `now`, `3 s ago`, `in 4 min`.
#[must_use]
pub fn relative(at: Millis, now: Millis) -> String {
    match (at.since(now).as_secs(), now.since(at).as_secs()) {
        (0, 0) => "now".to_owned(),
        (0, behind) => format!("{} ago", span(behind)),
        (ahead, _) => format!("in {}", span(ahead)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
const fn as_f64(number: u64) -> f64 {
    number as f64
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
    fn a_time_is_told_from_where_one_stands() {
        let told = |ms| relative(Millis(ms), Millis(1_000_000_000));
        assert_eq!(told(1_000_000_999), "now");
        assert_eq!(told(999_997_000), "3 s ago");
        assert_eq!(told(1_000_240_000), "in 4 min");
    }
}
