//! Attempts a second over the last minutes. Every poll counts the recent seconds again, because a slow send is
//! recorded long after it began; older seconds stay as they were counted.

use std::{collections::BTreeMap, time::Duration};

use domain::clock::{Millis, millis};
use entity::attempt::rates::Look;

/// How many seconds the chart shows.
pub(crate) const WINDOW: i64 = 300;
/// How far back a look reaches once there is something to add to: the longest attempt, and a little.
const RECOUNT: Duration = Duration::from_secs(65);

/// One second of the chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Second {
    /// Attempts that the receiver accepted.
    pub(crate) delivered: i64,
    /// Attempts that failed.
    pub(crate) failed: i64,
}

/// The seconds with at least one attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Series {
    seconds: BTreeMap<i64, Second>,
    counted_at: Option<Millis>,
}

impl Series {
    /// From when the next look has to count.
    pub(crate) fn count_from(&self, now: Millis) -> Millis {
        let window = WINDOW * 1_000;
        let reach = match self.counted_at {
            Some(before) => millis(now.since(before)) + millis(RECOUNT),
            None => window,
        };
        Millis(now.0 - reach.min(window))
    }

    /// This series with what a look found, and without what left the window.
    pub(crate) fn with(&self, look: &Look, now: Millis) -> Self {
        let oldest = now.seconds() - WINDOW;
        let kept = self.seconds.range(oldest..look.complete_from.max(oldest));
        let mut seconds: BTreeMap<i64, Second> = kept.map(|(at, second)| (*at, *second)).collect();
        for row in &look.seconds {
            if row.at_second >= look.complete_from && row.at_second >= oldest {
                let failed = row.attempts - row.delivered;
                seconds.insert(row.at_second, Second { delivered: row.delivered, failed });
            }
        }
        Self { seconds, counted_at: Some(now) }
    }

    /// Whether both show the same attempts.
    pub(crate) fn same_counts(&self, other: &Self) -> bool {
        self.seconds == other.seconds
    }

    /// `[[second, delivered, failed], …]` for the script, oldest first.
    pub(crate) fn json(&self) -> String {
        json(self.seconds.iter())
    }

    /// The same for the seconds that differ from `before`.
    pub(crate) fn json_since(&self, before: &Self) -> String {
        json(self.seconds.iter().filter(|(at, second)| before.seconds.get(at) != Some(second)))
    }

    /// Totals by minute, newest first, for readers of the table. Minutes are those before `now`, not the clock's.
    pub(crate) fn by_minute(&self, now: Millis) -> Vec<Second> {
        let minute = |back: i64| {
            let until = now.seconds() - back * 60;
            let within = self.seconds.range(until - 59..=until);
            within.fold(Second::default(), |sum, (_, second)| Second {
                delivered: sum.delivered + second.delivered,
                failed: sum.failed + second.failed,
            })
        };
        (0..WINDOW / 60).map(minute).collect()
    }

    /// Deliveries a second, over the last ten whole seconds.
    pub(crate) fn rate(&self, now: Millis) -> f64 {
        let until = now.seconds();
        let attempts: i64 = self.seconds.range(until - 10..until).map(|(_, s)| s.delivered).sum();
        f64::from(i32::try_from(attempts).unwrap_or(i32::MAX)) / 10.0
    }
}

fn json<'a>(seconds: impl Iterator<Item = (&'a i64, &'a Second)>) -> String {
    let points: Vec<[i64; 3]> = seconds.map(|(at, second)| [*at, second.delivered, second.failed]).collect();
    serde_json::to_string(&points).unwrap_or_else(|_| "[]".to_owned())
}

#[cfg(test)]
mod tests {
    use entity::attempt::rates::SecondRow;

    use super::*;

    const NOW: Millis = Millis(1_000_000);

    fn look(complete_from: i64, seconds: &[(i64, i64, i64)]) -> Look {
        let row = |&(at_second, attempts, delivered)| SecondRow { at_second, attempts, delivered };
        Look { seconds: seconds.iter().map(row).collect(), complete_from }
    }

    #[test]
    fn the_first_look_reaches_over_the_whole_window_and_later_ones_over_what_may_change() {
        let series = Series::default();
        assert_eq!(series.count_from(NOW), Millis(NOW.0 - 300_000));
        let series = series.with(&look(701, &[]), NOW);
        assert_eq!(series.count_from(Millis(NOW.0 + 1_000)), Millis(NOW.0 + 1_000 - 66_000));
        assert_eq!(series.count_from(Millis(NOW.0 + 900_000)), Millis(NOW.0 + 600_000));
    }

    #[test]
    fn a_late_attempt_changes_a_recent_second_and_an_incomplete_one_changes_nothing() {
        let first = Series::default().with(&look(701, &[(990, 2, 2), (995, 1, 0)]), NOW);
        assert_eq!(first.json(), "[[990,2,0],[995,0,1]]");
        let second = first.with(&look(991, &[(990, 1, 1), (995, 3, 2)]), NOW);
        assert_eq!(second.json(), "[[990,2,0],[995,2,1]]");
        assert_eq!(second.json_since(&first), "[[995,2,1]]");
        assert!(!second.same_counts(&first));
    }

    #[test]
    fn what_leaves_the_window_is_forgotten() {
        let series = Series::default().with(&look(701, &[(700, 9, 9), (701, 1, 1)]), NOW);
        assert_eq!(series.json(), "[[701,1,0]]");
        let later = series.with(&look(1_700, &[]), Millis(2_000_000));
        assert_eq!(later.json(), "[]");
    }

    #[test]
    fn minutes_and_the_rate_are_sums() {
        let series = Series::default().with(&look(701, &[(1_000, 5, 5), (999, 30, 20), (940, 2, 1)]), NOW);
        let minutes = series.by_minute(NOW);
        assert_eq!(minutes.len(), 5);
        assert_eq!(minutes[0], Second { delivered: 25, failed: 10 });
        assert_eq!(minutes[1], Second { delivered: 1, failed: 1 });
        assert!((series.rate(NOW) - 2.0).abs() < 1e-9, "the second under way does not count");
    }
}
