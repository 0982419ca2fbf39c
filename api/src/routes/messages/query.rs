//! Validates the query of `GET /messages`; all errors are reported together. As clients of this surface expect, parameters that
//! are not known are ignored, and of one that is given twice the last counts.

use std::borrow::Cow;

use domain::message::{Fault, FaultKind, Timestamp, folded};
use entity::message::queries::Filter;

/// Most messages of a page.
const MAX_LIMIT: i64 = 100;
/// Messages of a page by default.
const DEFAULT_LIMIT: i64 = 50;

/// Which messages are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) filter: Filter,
    pub(super) limit: i64,
    pub(super) offset: i64,
}

#[derive(Default)]
struct Given<'q> {
    limit: Option<Cow<'q, str>>,
    offset: Option<Cow<'q, str>>,
    from: Option<Cow<'q, str>>,
    since: Option<Cow<'q, str>>,
    q: Option<Cow<'q, str>>,
}

impl Wanted {
    /// Reads a query string.
    ///
    /// # Errors
    /// Every fault, in the order of the parameters above.
    pub(super) fn parse(query: &str) -> Result<Self, Vec<Fault>> {
        let given = Given::of(query);
        let mut faults = vec![];
        let limit = number("limit", given.limit, DEFAULT_LIMIT, 1, MAX_LIMIT, &mut faults);
        let offset = number("offset", given.offset, 0, 0, i64::MAX, &mut faults);
        let from = text("from", given.from, &mut faults).map(|from| with_plus(&from));
        let since_key = given.since.and_then(|since| since_key(&since, &mut faults));
        let contains = text("q", given.q, &mut faults).map(|part| folded(&part));
        let filter = Filter { from, since_key, contains };
        if faults.is_empty() { Ok(Self { filter, limit, offset }) } else { Err(faults) }
    }
}

impl<'q> Given<'q> {
    fn of(query: &'q str) -> Self {
        let mut given = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "limit" => &mut given.limit,
                "offset" => &mut given.offset,
                "from" => &mut given.from,
                "since" => &mut given.since,
                "q" => &mut given.q,
                _ => continue,
            };
            *place = Some(value);
        }
        given
    }
}

/// A whole number within bounds, both included.
fn number(
    name: &'static str,
    given: Option<Cow<'_, str>>,
    default: i64,
    least: i64,
    most: i64,
    faults: &mut Vec<Fault>,
) -> i64 {
    let Some(text) = given else { return default };
    let (kind, what) = match whole(&text) {
        None => (FaultKind::IntParsing, "must be a whole number".to_owned()),
        Some(number) if number < i128::from(least) => {
            (FaultKind::GreaterThanEqual, format!("must be at least {least}"))
        }
        Some(number) => match i64::try_from(number).ok().filter(|number| *number <= most) {
            Some(number) => return number,
            None => (FaultKind::LessThanEqual, format!("must be at most {most}")),
        },
    };
    faults.push(Fault::of_parameter(name, kind, what));
    default
}

/// A number of any length; one beyond all bounds stays beyond all of ours.
fn whole(text: &str) -> Option<i128> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = digits.parse().unwrap_or(i128::MAX);
    Some(if is_negative { -number } else { number })
}

/// A text to look for. One that was left empty looks for nothing.
fn text<'q>(
    name: &'static str,
    given: Option<Cow<'q, str>>,
    faults: &mut Vec<Fault>,
) -> Option<Cow<'q, str>> {
    let text = given.filter(|text| !text.is_empty())?;
    if text.contains('\0') {
        faults.push(Fault::of_parameter(name, FaultKind::ValueError, "must not contain a NUL character"));
    }
    Some(text)
}

/// A bare `+` arrives as a space.
fn with_plus(from: &str) -> String {
    from.strip_prefix(' ').map_or_else(|| from.to_owned(), |digits| format!("+{digits}"))
}

/// The key of the first moment that is asked for. A bare `+` of an offset arrives as a space.
fn since_key(text: &str, faults: &mut Vec<Fault>) -> Option<String> {
    const RULE: &str = "must be a time by ISO 8601 with Z or an offset, such as 2025-01-15T09:00:00Z";
    let key = Timestamp::key_of_bound(text).or_else(|| Timestamp::key_of_bound(&text.replace(' ', "+")));
    if key.is_none() {
        faults.push(Fault::of_parameter("since", FaultKind::ValueError, RULE));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &str) -> Filter {
        Wanted::parse(query).expect(query).filter
    }

    fn errors_of(query: &str) -> Vec<String> {
        let faults = Wanted::parse(query).err().unwrap_or_default();
        faults.iter().map(|fault| format!("{}: {}", fault.loc.join("."), fault.kind)).collect()
    }

    #[test]
    fn without_parameters_the_first_fifty_are_asked_for() {
        for query in ["", "other=1", "from=&q="] {
            let all = Wanted { filter: Filter::default(), limit: 50, offset: 0 };
            assert_eq!(Wanted::parse(query), Ok(all), "{query}");
        }
    }

    #[test]
    fn numbers_are_taken_at_their_bounds_and_not_beyond() {
        let (max, above) = (i64::MAX, i128::from(i64::MAX) + 1);
        for (query, limit, offset) in [
            ("limit=1", 1, 0),
            ("limit=100", 100, 0),
            ("limit=0007", 7, 0),
            ("offset=0", 50, 0),
            ("offset=-0", 50, 0),
            ("limit=0&limit=2", 2, 0),
            (&format!("offset={max}"), 50, max),
        ] {
            let wanted = Wanted::parse(query).expect(query);
            assert_eq!((wanted.limit, wanted.offset), (limit, offset), "{query}");
        }
        for (query, fault) in [
            ("limit=0", "query.limit: greater_than_equal"),
            ("limit=-1", "query.limit: greater_than_equal"),
            ("limit=101", "query.limit: less_than_equal"),
            ("limit=99999999999999999999999999999999999999999999", "query.limit: less_than_equal"),
            ("offset=-1", "query.offset: greater_than_equal"),
            ("offset=-99999999999999999999999999999999999999999", "query.offset: greater_than_equal"),
            (&format!("offset={above}"), "query.offset: less_than_equal"),
        ] {
            assert_eq!(errors_of(query), [fault], "{query}");
        }
        for bad in ["x", "", "1.0", "1e1", "--1", "-", "%2B1", "1%00", "٣", " 1"] {
            assert_eq!(errors_of(&format!("limit={bad}")), ["query.limit: int_parsing"], "{bad:?}");
        }
    }

    #[test]
    fn a_plus_may_be_bare_or_encoded() {
        for query in ["from=%2B919876543210", "from=+919876543210"] {
            assert_eq!(filter(query).from.as_deref(), Some("+919876543210"), "{query}");
        }
        let key = Some("2025-01-15T09:00:00.000000000".to_owned());
        for time in ["2025-01-15T09:00:00Z", "2025-01-15T11:00:00%2B02:00", "2025-01-15T11:00:00+02:00"] {
            assert_eq!(filter(&format!("since={time}")).since_key, key, "{time}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let query = "q=a%00&since=yesterday&from=%00&offset=-1&limit=x";
        let faults = [
            "query.limit: int_parsing",
            "query.offset: greater_than_equal",
            "query.from: value_error",
            "query.since: value_error",
            "query.q: value_error",
        ];
        assert_eq!(errors_of(query), faults);
        assert_eq!(errors_of("since="), ["query.since: value_error"], "an empty bound is an error");
    }

    #[test]
    fn what_is_searched_for_is_folded_and_nothing_in_it_is_special() {
        assert_eq!(filter("q=100%25_Gr%C3%BC%C3%9Fe").contains.as_deref(), Some("100%_grüsse"));
    }
}
