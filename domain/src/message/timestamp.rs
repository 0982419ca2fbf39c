//! Timestamps of messages: stored as written, ordered as instants.

use chrono::{DateTime, NaiveDate, Utc};

/// Longest text of a timestamp; longer fractions of a second are meaningless.
const MAX_CHARS: usize = 64;
/// Digits of the fraction that are compared.
const FRACTION_DIGITS: usize = 9;

/// A timestamp in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    text: String,
    key: String,
}

impl Timestamp {
    /// Parses `YYYY-MM-DDThh:mm:ss`, an optional fraction of a second, and `Z`. The date must exist.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date_time, fraction) = split(text.strip_suffix('Z')?)?;
        is_real(date_time).then(|| Self { text: text.to_owned(), key: key(date_time, fraction) })
    }

    /// Returns the original text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the sort key: bytewise order is the order of the instants, to the nanosecond.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the sort key of a search bound: ISO 8601 with `Z` or an offset.
    #[must_use]
    pub fn key_of_bound(text: &str) -> Option<String> {
        if text.len() > MAX_CHARS || text.as_bytes().get(10) != Some(&b'T') {
            return None;
        }
        let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
        let year = chrono::Datelike::year(&at);
        (0..=9_999).contains(&year).then(|| at.format("%Y-%m-%dT%H:%M:%S.%9f").to_string())
    }
}

/// Splits a timestamp into date with time of day, and the digits of the fraction.
fn split(text: &str) -> Option<(&str, &str)> {
    if text.len() > MAX_CHARS || !text.is_ascii() || text.len() < 19 {
        return None;
    }
    let (date_time, fraction) = text.split_at(19);
    let digits = match fraction.strip_prefix('.') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => digits,
        None if fraction.is_empty() => "",
        _ => return None,
    };
    Some((date_time, digits))
}

fn is_real(date_time: &str) -> bool {
    let number = |range: std::ops::Range<usize>| {
        let digits = &date_time[range];
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten()
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !separators.iter().all(|(at, separator)| date_time.as_bytes()[*at] == *separator) {
        return false;
    }
    let parts = (number(0..4), number(5..7), number(8..10), number(11..13), number(14..16), number(17..19));
    let (Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)) = parts else {
        return false;
    };
    year > 0
        && NaiveDate::from_ymd_opt(year.cast_signed(), month, day)
            .is_some_and(|date| date.and_hms_opt(hour, minute, second).is_some())
}

fn key(date_time: &str, fraction: &str) -> String {
    let kept = &fraction[..fraction.len().min(FRACTION_DIGITS)];
    format!("{date_time}.{kept:0<FRACTION_DIGITS$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_real_one_in_utc_that_ends_in_z() {
        for good in [
            "2025-01-15T10:00:00Z",
            "2024-02-29T23:59:59Z",
            "2025-01-15T10:00:00.5Z",
            "0001-01-01T00:00:00.000000001Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            assert_eq!(Timestamp::parse(good).expect(good).as_str(), good);
        }
        for bad in [
            "",
            "Z",
            "2025-01-15",
            "2025-01-15T10:00:00",
            "2025-01-15T10:00:00z",
            "2025-01-15 10:00:00Z",
            "2025-01-15t10:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-01-32T00:00:00Z",
            "2025-01-15T24:00:00Z",
            "2025-01-15T10:60:00Z",
            "2025-01-15T10:00:60Z",
            "2025-01-15T10:00:00.Z",
            "2025-01-15T10:00:00,5Z",
            "2025-01-15T10:00:00+00:00",
            "2025-01-15T10:00Z",
            "2025-1-15T10:00:00Z",
            "+025-01-15T10:00:00Z",
            "0000-01-01T00:00:00Z",
            "2025-01-15T10:00:00ZZ",
            "２025-01-15T10:00:00Z",
            "2025-01-15T10:00:00.5 Z",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad:?}");
        }
        let digits = "1".repeat(44);
        assert!(Timestamp::parse(&format!("2025-01-15T10:00:00.{digits}Z")).is_some(), "64 characters");
        assert!(Timestamp::parse(&format!("2025-01-15T10:00:00.{digits}1Z")).is_none(), "65 characters");
    }

    #[test]
    fn keys_are_in_the_order_of_the_instants() {
        let times = [
            "0001-01-01T00:00:00Z",
            "2025-01-15T09:59:59.999999999Z",
            "2025-01-15T10:00:00Z",
            "2025-01-15T10:00:00.05Z",
            "2025-01-15T10:00:00.5Z",
            "2025-01-15T10:00:00.500000001Z",
        ];
        let keys: Vec<String> =
            times.iter().map(|time| Timestamp::parse(time).expect(time).key().to_owned()).collect();
        assert!(keys.is_sorted());
        let (short, long) =
            (Timestamp::parse("2025-01-15T10:00:00Z"), Timestamp::parse("2025-01-15T10:00:00.000Z"));
        assert_eq!(short.expect("valid").key(), long.expect("valid").key(), "one instant, written twice");
    }

    #[test]
    fn a_bound_may_have_an_offset_and_meets_the_same_keys() {
        let key = Timestamp::parse("2025-01-15T09:00:00Z").expect("valid").key().to_owned();
        for same in ["2025-01-15T09:00:00Z", "2025-01-15T11:00:00+02:00", "2025-01-15T03:30:00.000-05:30"] {
            assert_eq!(Timestamp::key_of_bound(same).as_ref(), Some(&key), "{same}");
        }
        for bad in [
            "",
            "2025-01-15",
            "2025-01-15T09:00:00",
            "2025-01-15 09:00:00Z",
            "2025-02-30T00:00:00Z",
            "now",
            "0000-01-01T00:00:00+01:00",
        ] {
            assert_eq!(Timestamp::key_of_bound(bad), None, "{bad:?}");
        }
    }
}
