//! A point in time as a page shows it: relative, with the exact time in its title. The script keeps it moving.

use askama::Template;
use domain::{clock::Millis, duration_format::relative};

/// A time seen from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(path = "parts/moment.html")]
pub(crate) struct Moment {
    at: Millis,
    now: Millis,
}

impl Moment {
    /// `at`, as seen at `now`.
    pub(crate) const fn new(at: Millis, now: Millis) -> Self {
        Self { at, now }
    }

    /// For `datetime`.
    fn iso(&self) -> String {
        self.at.rfc3339()
    }

    /// For `title`: the exact time.
    pub(crate) fn exact(&self) -> String {
        let fraction = self.at.0.rem_euclid(1_000);
        format!("{}.{fraction:03} UTC", self.at.plain())
    }

    /// `now`, `3 s ago`, `in 4 min`.
    pub(crate) fn relative(&self) -> String {
        relative(self.at, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Moment {
        Moment::new(Millis(ms), Millis(1_000_000_000))
    }

    #[test]
    fn a_time_is_told_from_where_one_stands() {
        assert_eq!(at(1_000_000_000).relative(), "now");
        assert_eq!(at(1_000_000_999).relative(), "now");
        assert_eq!(at(999_997_000).relative(), "3 s ago");
        assert_eq!(at(1_000_240_000).relative(), "in 4 min");
    }

    #[test]
    fn its_exact_time_stands_in_the_title() {
        let moment = Moment::new(Millis(1_709_024_348_007), Millis(1_709_024_358_007));
        assert_eq!(
            moment.to_string(),
            r#"<time datetime="2024-02-27T08:59:08.007Z" title="2024-02-27 08:59:08.007 UTC" data-moment>10 s ago</time>"#
        );
    }
}
