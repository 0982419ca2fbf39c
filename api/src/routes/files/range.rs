//! Single byte ranges (RFC 9110 §14). Several ranges at once, and what cannot be read, ask for everything.

use std::ops::Range;

use http::{HeaderMap, header::RANGE};

/// What a request asks for of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it.
    Everything,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Nothing,
}

impl Asked {
    /// Reads the `Range` header for a file of `total` bytes.
    pub(super) fn of(headers: &HeaderMap, total: u64) -> Self {
        let mut given = headers.get_all(RANGE).iter();
        let (Some(range), None) = (given.next(), given.next()) else {
            return Self::Everything;
        };
        range.to_str().ok().and_then(|text| Self::read(text, total)).unwrap_or(Self::Everything)
    }

    fn read(text: &str, total: u64) -> Option<Self> {
        let (unit, span) = text.split_once('=')?;
        let (first, last) =
            span.trim().split_once('-').filter(|_| unit.trim().eq_ignore_ascii_case("bytes"))?;
        let range = match (first.trim_end(), last.trim_start()) {
            ("", suffix) => total.saturating_sub(number(suffix)?)..total,
            (first, "") => number(first)?..total,
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if last < first {
                    return None;
                }
                first..last.saturating_add(1).min(total)
            }
        };
        Some(if range.is_empty() { Self::Nothing } else { Self::Part(range) })
    }
}

/// Digits only: `u64::from_str` would accept a sign.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &str, total: u64) -> Asked {
        Asked::of(&HeaderMap::from_iter([(RANGE, range.parse().expect("a header value"))]), total)
    }

    #[test]
    fn a_single_range_is_cut_to_the_file() {
        assert_eq!(asked("bytes=0-0", 10), Asked::Part(0..1));
        assert_eq!(asked("bytes=2-5", 10), Asked::Part(2..6));
        assert_eq!(asked("bytes=9-99", 10), Asked::Part(9..10));
        assert_eq!(asked("bytes=4-", 10), Asked::Part(4..10));
        assert_eq!(asked("bytes=-3", 10), Asked::Part(7..10));
        assert_eq!(asked("bytes=-99", 10), Asked::Part(0..10));
        assert_eq!(asked("Bytes = 0-18446744073709551615", 10), Asked::Part(0..10));
    }

    #[test]
    fn a_range_outside_of_the_file_is_nothing() {
        for range in ["bytes=10-", "bytes=10-11", "bytes=-0"] {
            assert_eq!(asked(range, 10), Asked::Nothing, "{range}");
        }
        for range in ["bytes=0-", "bytes=0-0", "bytes=-5"] {
            assert_eq!(asked(range, 0), Asked::Nothing, "{range} of an empty file");
        }
    }

    #[test]
    fn what_cannot_be_read_asks_for_everything() {
        let odd = [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "bytes=+1-2",
            "lines=0-1",
        ];
        for range in odd {
            assert_eq!(asked(range, 10), Asked::Everything, "{range}");
        }
        assert_eq!(Asked::of(&HeaderMap::new(), 10), Asked::Everything);
    }
}
