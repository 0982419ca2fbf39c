//! Points in time as the databases store them, and their two formats in requests and responses.
//! Reads no clock: callers pass the time.

use std::{fmt, ops::Add, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, the unit of every time column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// Formats as RFC 3339 in UTC with milliseconds, as in `/v1` and event bodies: `2026-11-21T10:00:00.123Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.date_time().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Parses RFC 3339 with any offset, truncated to milliseconds. Returns none for anything else.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| Self(at.timestamp_millis()))
    }

    /// Formats as `YYYY-MM-DD HH:MM:SS` in UTC, as in the uploads API.
    #[must_use]
    pub fn plain(self) -> String {
        self.date_time().format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Returns whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Returns the duration since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn date_time(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

impl Add<Duration> for Millis {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(millis(wait)))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Converts a duration to whole milliseconds, as statements bind it.
#[must_use]
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_both_formats() {
        let at = Millis(1_709_024_348_123);
        assert_eq!(at.rfc3339(), "2024-02-27T08:59:08.123Z");
        assert_eq!(at.plain(), "2024-02-27 08:59:08");
    }

    #[test]
    fn a_time_is_read_with_any_offset() {
        for text in ["2024-02-27T08:59:08.123Z", "2024-02-27T09:59:08.123999+01:00"] {
            assert_eq!(Millis::parse_rfc3339(text), Some(Millis(1_709_024_348_123)), "{text}");
        }
        for text in ["", "2024-02-27", "2024-02-27T08:59:08", "2024-02-30T08:59:08Z", "1709024348"] {
            assert_eq!(Millis::parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn adding_never_wraps_and_since_never_goes_below_zero() {
        assert_eq!(Millis(i64::MAX) + Duration::from_secs(1), Millis(i64::MAX));
        assert_eq!(Millis(5).since(Millis(9)), Duration::ZERO);
        assert_eq!(Millis(9).since(Millis(5)), Duration::from_millis(4));
    }
}
