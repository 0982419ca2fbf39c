//! Numbers of the pages: the shared formats, and counts that stop at a limit.

pub(crate) use domain::{
    duration_format::microseconds,
    number_format::{bytes, grouped, percent},
};
use entity::bounded::Bounded;

/// A count that may have stopped at its limit: `12`, or `10,000+`.
pub(crate) fn bounded(count: Bounded) -> String {
    format!("{}{}", grouped(count.count), if count.more { "+" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_stopped_says_so() {
        assert_eq!(bounded(Bounded::of(0)), "0");
        assert_eq!(bounded(Bounded::of(10_000)), "10,000");
        assert_eq!(bounded(Bounded::of(10_001)), "10,000+");
        assert_eq!(bounded(Bounded::part(7, Bounded::of(10_001))), "7+");
    }
}
