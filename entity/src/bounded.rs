//! Counts that stop counting: a page never walks through a huge table to show one number.

/// Most rows that a count walks through.
pub const COUNT_LIMIT: u64 = 10_000;

/// The rows that a statement asks for so that [`Bounded::of`] can tell "exactly the limit" from "more".
pub(crate) const ROWS_TO_COUNT: i64 = 10_001;

/// A count up to [`COUNT_LIMIT`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounded {
    /// How many there are, at least.
    pub count: u64,
    /// Whether there may be more than that.
    pub more: bool,
}

impl Bounded {
    /// Reads a count over at most one row more than [`COUNT_LIMIT`].
    #[must_use]
    pub fn of(rows: i64) -> Self {
        let rows = u64::try_from(rows).unwrap_or(0);
        Self { count: rows.min(COUNT_LIMIT), more: rows > COUNT_LIMIT }
    }

    /// A part of what was walked through: a lower bound when the walk was cut short.
    #[must_use]
    pub fn part(rows: i64, whole: Self) -> Self {
        Self { count: u64::try_from(rows).unwrap_or(0).min(COUNT_LIMIT), more: whole.more }
    }

    /// Whether there is certainly nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.count == 0 && !self.more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn bounded(count: u64, more: bool) -> Bounded {
        Bounded { count, more }
    }

    #[test]
    fn a_count_is_exact_up_to_the_limit_and_says_so_beyond() {
        assert_eq!(Bounded::of(0), bounded(0, false));
        assert_eq!(Bounded::of(10_000), bounded(10_000, false));
        assert_eq!(Bounded::of(ROWS_TO_COUNT), bounded(10_000, true));
        assert_eq!(Bounded::of(-1), bounded(0, false));
    }

    #[test]
    fn a_part_of_a_cut_walk_is_a_lower_bound() {
        assert_eq!(Bounded::part(7, Bounded::of(100)), bounded(7, false));
        assert_eq!(Bounded::part(7, Bounded::of(ROWS_TO_COUNT)), bounded(7, true));
        assert!(!Bounded::part(0, Bounded::of(ROWS_TO_COUNT)).is_zero());
    }
}
