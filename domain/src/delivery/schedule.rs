//! The retry schedule: how long to wait before each further attempt.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// Jitter of a wait, as a share of it.
const JITTER: f64 = 0.2;
/// Most waits of a schedule.
const MAX_WAITS: usize = 20;
/// Longest single wait.
const MAX_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The waits between attempts. The first attempt is made at once, so ten attempts have nine waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RetrySchedule(Vec<Duration>);

/// Why a schedule is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Too many waits.
    #[error("has {0} waits, at most 20 are allowed")]
    TooLong(usize),
    /// A wait beyond seven days.
    #[error("{0:?} is above the longest wait of 7 days")]
    WaitTooLong(String),
    /// Not a duration like `5s`, `5m`, `2h`.
    #[error("{0:?} is not a duration like 500ms, 5s, 5m or 2h")]
    NotADuration(String),
    /// Not a JSON array of whole seconds.
    #[error("{0:?} is not a list of whole seconds like [5, 300]")]
    NotSeconds(String),
}

impl RetrySchedule {
    /// Creates a schedule of these waits: at most 20, each at most 7 days.
    ///
    /// # Errors
    /// When there are too many, or one is too long.
    pub fn new(waits: Vec<Duration>) -> Result<Self, ScheduleError> {
        if waits.len() > MAX_WAITS {
            return Err(ScheduleError::TooLong(waits.len()));
        }
        match waits.iter().find(|wait| **wait > MAX_WAIT) {
            Some(wait) => Err(ScheduleError::WaitTooLong(format!("{}s", wait.as_secs()))),
            None => Ok(Self(waits)),
        }
    }

    /// Returns the wait after a failed attempt at `position` (0 is the first attempt), or `None` when the schedule is spent.
    /// `jitter` in -1.0 ..= 1.0 moves it by up to ±20 %.
    #[must_use]
    pub fn wait_after(&self, position: u16, jitter: f64) -> Option<Duration> {
        let wait = self.0.get(usize::from(position))?;
        Some(wait.mul_f64(JITTER.mul_add(jitter.clamp(-1.0, 1.0), 1.0)))
    }

    /// Parses an endpoint's own schedule: a JSON array of whole seconds.
    ///
    /// # Errors
    /// When it is not an array of seconds, has too many waits, or one is too long.
    pub fn from_seconds(json: &str) -> Result<Self, ScheduleError> {
        let seconds: Vec<u64> =
            serde_json::from_str(json).map_err(|_| ScheduleError::NotSeconds(json.to_owned()))?;
        Self::new(seconds.into_iter().map(Duration::from_secs).collect())
    }

    /// Returns the sum of all waits, without jitter: the duration of the whole schedule.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// Returns the total number of attempts.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.0.len() + 1
    }
}

impl Default for RetrySchedule {
    /// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: ten attempts in about three days.
    fn default() -> Self {
        const HOUR: u64 = 3600;
        let waits = [5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
        Self(waits.map(Duration::from_secs).to_vec())
    }
}

impl FromStr for RetrySchedule {
    type Err = ScheduleError;

    /// Parses durations separated by commas: `5s,5m,30m`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let waits = text
            .split(',')
            .map(str::trim)
            .map(|part| parse_duration(part).ok_or_else(|| ScheduleError::NotADuration(part.to_owned())));
        Self::new(waits.collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for RetrySchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(|wait| write_duration(*wait)).collect();
        f.write_str(&words.join(","))
    }
}

/// Parses a duration of the settings: a whole number and `ms`, `s`, `m`, `h` or `d`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit_ms).map(Duration::from_millis)
}

/// Formats a duration in the largest exact unit; [`parse_duration`] reads it back.
#[must_use]
pub fn write_duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit_ms, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if ms >= unit_ms && ms.is_multiple_of(unit_ms) {
            return format!("{}{unit}", ms / unit_ms);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_makes_ten_attempts() {
        let schedule = RetrySchedule::default();
        assert_eq!(schedule.attempts(), 10);
        assert_eq!(schedule.to_string(), "5s,5m,30m,2h,5h,10h,14h,20h,1d");
        assert_eq!(schedule.to_string().parse(), Ok(schedule.clone()));
        assert_eq!(schedule.wait_after(8, 0.0), Some(Duration::from_secs(86_400)));
        assert_eq!(schedule.wait_after(9, 0.0), None);
    }

    #[test]
    fn jitter_moves_a_wait_by_a_fifth_at_most() {
        let schedule: RetrySchedule = "10s".parse().expect("valid");
        let wait = |jitter| schedule.wait_after(0, jitter).expect("one wait");
        assert_eq!(wait(-1.0), Duration::from_secs(8));
        assert_eq!(wait(1.0), Duration::from_secs(12));
        assert_eq!(wait(7.5), Duration::from_secs(12), "a jitter out of bounds is clamped");
    }

    #[test]
    fn a_list_of_seconds_is_read_within_the_same_bounds() {
        let of = RetrySchedule::from_seconds;
        assert_eq!(of("[5, 300]"), Ok("5s,5m".parse().expect("valid")));
        assert_eq!(of("[]").map(|schedule| schedule.attempts()), Ok(1));
        assert_eq!(of("[5,300]").map(|schedule| schedule.total()), Ok(Duration::from_secs(305)));
        assert!(of("[604800]").is_ok());
        assert!(matches!(of("[604801]"), Err(ScheduleError::WaitTooLong(_))));
        assert_eq!(of(&format!("{:?}", [1; 21])), Err(ScheduleError::TooLong(21)));
        for bad in ["", "5", "[-1]", "[1.5]", "[\"5s\"]", "{}"] {
            assert!(matches!(of(bad), Err(ScheduleError::NotSeconds(_))), "{bad}");
        }
    }

    #[test]
    fn bounds_are_held_and_named() {
        let of = |text: &str| text.parse::<RetrySchedule>();
        assert!(of(&vec!["1s"; 20].join(",")).is_ok());
        assert_eq!(of(&vec!["1s"; 21].join(",")), Err(ScheduleError::TooLong(21)));
        assert!(of("7d").is_ok());
        assert!(matches!(of("604801s"), Err(ScheduleError::WaitTooLong(_))));
        for bad in ["", "5", "5x", "s", "-5s", "1.5s", "5s,,5s", "99999999999999999999s"] {
            assert!(matches!(of(bad), Err(ScheduleError::NotADuration(_))), "{bad}");
        }
    }
}
