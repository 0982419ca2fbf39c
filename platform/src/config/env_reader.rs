//! Reads settings one by one and collects every problem, so that all of them are reported together.
//! A blank setting counts as not set.

use std::{ops::RangeInclusive, time::Duration};

use domain::delivery::{parse_duration, write_duration};

use super::{
    errors::{ConfigErrors, Problem},
    settings::default_of,
};

/// Reads the environment and keeps the problems found so far.
pub(super) struct EnvReader<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<Problem>,
}

impl<'a> EnvReader<'a> {
    pub(super) fn new(read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { read, problems: Vec::new() }
    }

    /// Returns `Ok` when no setting was wrong.
    pub(super) fn finish(self) -> Result<(), ConfigErrors> {
        ConfigErrors::check(self.problems)
    }

    pub(super) fn wrong(&mut self, name: &'static str, wrong: impl Into<String>) {
        self.problems.push(Problem { name, wrong: wrong.into() });
    }

    /// Whether a problem with this setting was found already.
    pub(super) fn has_problem(&self, name: &str) -> bool {
        self.problems.iter().any(|problem| problem.name == name)
    }

    /// Returns the trimmed text of a setting, or `None` when it is blank or not set.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.read)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Returns a setting parsed by `parse`, or `None` when it is not set or wrong.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(&self.text(name)?) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.wrong(name, wrong);
                None
            }
        }
    }

    /// Returns a setting parsed by `parse`, else `default` (after a problem as well, so that reading continues).
    pub(super) fn or<T>(
        &mut self,
        name: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        self.optional(name, parse).unwrap_or(default)
    }

    /// Returns a setting parsed by `parse`, else its default from the list of settings, parsed the same way.
    pub(super) fn or_default<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let default = parse(default_of(name)).expect("a test reads every default");
        self.or(name, default, parse)
    }
}

/// Parses a duration within bounds.
pub(super) fn duration(bounds: RangeInclusive<Duration>) -> impl Fn(&str) -> Result<Duration, String> {
    move |text| {
        let value = parse_duration(text)
            .ok_or_else(|| format!("{text:?} is not a duration like 500ms, 15s, 5m, 24h or 30d"))?;
        if value > *bounds.end() {
            return Err(format!("{text} is above {}", write_duration(*bounds.end())));
        }
        if value < *bounds.start() {
            return Err(format!("{text} is below {}", write_duration(*bounds.start())));
        }
        Ok(value)
    }
}

/// Parses a whole number within bounds.
pub(super) fn number(bounds: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> {
    move |text| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return Err(format!("{text:?} is not a whole number"));
        }
        match text.parse::<u64>() {
            Ok(value) if value < *bounds.start() => Err(format!("{text} is below {}", bounds.start())),
            Ok(value) if value <= *bounds.end() => Ok(value),
            _ => Err(format!("{text} is above {}", bounds.end())),
        }
    }
}

/// Parses `true` or `false`, also as 1/0 and yes/no.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// Parses a comma-separated list of at most `most` entries, each with `parse`. Spaces around an entry are ignored.
pub(super) fn list<T>(
    text: &str,
    most: usize,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let entries: Vec<&str> = text.split(',').map(str::trim).collect();
    if entries.len() > most {
        return Err(format!("has {} entries, at most {most} are allowed", entries.len()));
    }
    if entries.contains(&"") {
        return Err(format!("{text:?} has an empty entry"));
    }
    entries.into_iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_held_within_its_bounds() {
        let read = |text: &str| number(1..=65_536)(text);
        assert_eq!(read("1"), Ok(1));
        assert_eq!(read("65536"), Ok(65_536));
        assert_eq!(read("0"), Err("0 is below 1".into()));
        assert_eq!(read("65537"), Err("65537 is above 65536".into()));
        assert_eq!(read("99999999999999999999"), Err("99999999999999999999 is above 65536".into()));
        assert_eq!(read("-1"), Err("\"-1\" is not a whole number".into()));
        assert_eq!(read("1k"), Err("\"1k\" is not a whole number".into()));
    }

    #[test]
    fn a_duration_is_held_within_its_bounds() {
        let read = |text: &str| duration(Duration::from_secs(1)..=Duration::from_secs(60))(text);
        assert_eq!(read("1000ms"), Ok(Duration::from_secs(1)));
        assert_eq!(read("1m"), Ok(Duration::from_secs(60)));
        assert_eq!(read("999ms"), Err("999ms is below 1s".into()));
        assert_eq!(read("61s"), Err("61s is above 1m".into()));
        assert!(read("600").is_err_and(|wrong| wrong.contains("not a duration like")));
    }

    #[test]
    fn a_list_is_bounded_and_has_no_holes() {
        let read = |text: &str| list(text, 2, |entry| Ok(entry.to_owned()));
        assert_eq!(read("a, b"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read("a,b,c"), Err("has 3 entries, at most 2 are allowed".into()));
        assert_eq!(read("a,"), Err("\"a,\" has an empty entry".into()));
    }

    #[test]
    fn a_blank_setting_is_not_set() {
        let read = |_: &str| Some("  ".to_owned());
        assert_eq!(EnvReader::new(&read).text("DATA_DIR"), None);
    }
}
