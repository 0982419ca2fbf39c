//! Counts that stop counting: a page never walks through a huge table to show one number.

use std::fmt;

use crate::format::number::grouped;

/// Most rows that a count walks through.
pub(crate) const COUNT_LIMIT: u64 = 10_000;

/// What a statement has to ask for so that [`Bounded::of`] can tell "exactly the limit" from "more".
pub(crate) const ROWS_TO_COUNT: i64 = 10_001;

/// A count up to [`COUNT_LIMIT`]; shown as `10,000+` beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounded {
    /// How many there are, at least.
    pub(crate) count: u64,
    /// Whether there may be more than that.
    pub(crate) more: bool,
}

impl Bounded {
    /// Reads a count over at most [`ROWS_TO_COUNT`] rows.
    pub(crate) fn of(rows: i64) -> Self {
        let rows = u64::try_from(rows).unwrap_or(0);
        Self { count: rows.min(COUNT_LIMIT), more: rows > COUNT_LIMIT }
    }

    /// A part of what was walked through: a lower bound when the walk was cut short.
    pub(crate) fn part(rows: i64, whole: Self) -> Self {
        Self { count: u64::try_from(rows).unwrap_or(0).min(COUNT_LIMIT), more: whole.more }
    }

    /// Whether there is certainly nothing.
    pub(crate) const fn is_zero(self) -> bool {
        self.count == 0 && !self.more
    }
}

impl fmt::Display for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", grouped(self.count), if self.more { "+" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_exact_up_to_the_limit_and_says_so_beyond() {
        assert_eq!(Bounded::of(0).to_string(), "0");
        assert_eq!(Bounded::of(10_000).to_string(), "10,000");
        assert_eq!(Bounded::of(ROWS_TO_COUNT).to_string(), "10,000+");
        assert_eq!(Bounded::of(-1).to_string(), "0");
    }

    #[test]
    fn a_part_of_a_cut_walk_is_a_lower_bound() {
        assert_eq!(Bounded::part(7, Bounded::of(100)).to_string(), "7");
        assert_eq!(Bounded::part(7, Bounded::of(ROWS_TO_COUNT)).to_string(), "7+");
        assert!(!Bounded::part(0, Bounded::of(ROWS_TO_COUNT)).is_zero());
    }
}
