//! Validation of notices, placements and subscribers. Each error states the rule; callers add the member.

use chrono::NaiveDate;

/// The default type of a notice.
pub const DEFAULT_NOTICE_TYPE: &str = "general";
/// Longest type of a notice, in characters.
pub const MAX_NOTICE_TYPE_CHARS: usize = 64;
/// Longest name of a student, a company, a role or a subscriber, in characters.
pub const MAX_NAME_CHARS: usize = 255;
/// Largest package: above any salary, and well within the exact range of a double.
pub const MAX_PACKAGE: f64 = 1e12;

/// A value breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Empty, or above the bound that it carries.
    #[error("must have 1 to {0} characters")]
    Length(usize),
    /// Above the bound that it carries.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// Nothing visible.
    #[error("must not be blank")]
    Blank,
    /// Databases store no NUL in text.
    #[error("must not contain a NUL character")]
    Nul,
    /// Negative, above [`MAX_PACKAGE`], or not a number.
    #[error("must be a number from 0 to 1000000000000")]
    Package,
    /// Not a calendar date.
    #[error("must be a day like 2026-11-21")]
    Day,
}

/// Validates a text: 1 to `most` characters, not all of them blank.
///
/// # Errors
/// Names the first violated rule.
pub fn check_text(text: &str, most: usize) -> Result<(), ValueError> {
    if text.is_empty() || text.chars().nth(most).is_some() {
        return Err(ValueError::Length(most));
    }
    if text.contains('\0') {
        return Err(ValueError::Nul);
    }
    if text.chars().all(char::is_whitespace) { Err(ValueError::Blank) } else { Ok(()) }
}

/// Validates a text that may be empty or blank.
///
/// # Errors
/// Names the first violated rule.
pub fn check_note(text: &str, most: usize) -> Result<(), ValueError> {
    if text.chars().nth(most).is_some() {
        return Err(ValueError::TooLong(most));
    }
    if text.contains('\0') { Err(ValueError::Nul) } else { Ok(()) }
}

/// Validates a package.
///
/// # Errors
/// When it is negative, not finite or above [`MAX_PACKAGE`].
pub fn check_package(package: f64) -> Result<(), ValueError> {
    if (0.0..=MAX_PACKAGE).contains(&package) { Ok(()) } else { Err(ValueError::Package) }
}

/// Validates a calendar date `YYYY-MM-DD`, from the year 1 on.
///
/// # Errors
/// When it is not.
pub fn check_day(text: &str) -> Result<(), ValueError> {
    let is_spelled = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let is_day = is_spelled && !text.starts_with("0000") && text.parse::<NaiveDate>().is_ok();
    if is_day { Ok(()) } else { Err(ValueError::Day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_up_to_its_bound_in_characters() {
        let of = |count: usize| check_text(&"🦀".repeat(count), 3);
        assert_eq!((of(0), of(1)), (Err(ValueError::Length(3)), Ok(())));
        assert_eq!((of(3), of(4)), (Ok(()), Err(ValueError::Length(3))));
        assert_eq!(check_text(" \u{a0}\n", 3), Err(ValueError::Blank));
        assert_eq!(check_text("a\0", 3), Err(ValueError::Nul));
    }

    #[test]
    fn a_note_may_say_nothing_and_keeps_its_bound() {
        let of = |count: usize| check_note(&"ä".repeat(count), 3);
        assert_eq!((of(0), of(3), of(4)), (Ok(()), Ok(()), Err(ValueError::TooLong(3))));
        assert_eq!((check_note(" ", 3), check_note("\0", 3)), (Ok(()), Err(ValueError::Nul)));
    }

    #[test]
    fn a_package_is_a_number_that_somebody_could_be_paid() {
        for good in [0.0, -0.0, 0.5, 12.345, MAX_PACKAGE] {
            assert_eq!(check_package(good), Ok(()), "{good}");
        }
        for bad in [-f64::MIN_POSITIVE, MAX_PACKAGE.next_up(), f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(check_package(bad), Err(ValueError::Package), "{bad}");
        }
        assert!(ValueError::Package.to_string().contains(&format!("{MAX_PACKAGE}")));
    }

    #[test]
    fn a_day_is_one_of_the_calendar() {
        for good in ["2026-11-21", "2024-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(check_day(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-11-00",
            "0000-01-01",
            "2026-1-01",
            "26-11-21",
            "+2026-11-2",
            "2026/11/21",
            "2026-11-21T00",
            "2026-11-21 ",
            "２０26-11-21",
        ] {
            assert_eq!(check_day(bad), Err(ValueError::Day), "{bad}");
        }
    }
}
