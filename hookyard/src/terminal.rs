//! Terminal output: colours only if enabled, and no control characters from received data.

use std::io::{IsTerminal, Write as _, stdout};

use domain::clock::Millis;
use platform::config::environment;

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Colours when standard output is a terminal that has them and `NO_COLOR` is not set.
    pub(crate) fn of_stdout() -> Self {
        let set = |name| environment(name).filter(|value| !value.is_empty());
        let wanted = set("NO_COLOR").is_none() && set("TERM").is_none_or(|terminal| terminal != "dumb");
        Self { on: wanted && stdout().is_terminal() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.code("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.code("31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.code("32", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.code("36", text)
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Writes a line. A closed pipe is ignored.
pub(crate) fn say(line: &str) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Replaces control characters with `\u{fffd}`.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Truncates a text to `most` characters, with `…` if something is omitted.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Formats the time of day in UTC: `14:03:22.123`.
pub(crate) fn time_of_day(at: Millis) -> String {
    let text = at.rfc3339();
    let time = text.split_once('T').map_or(text.as_str(), |(_, time)| time);
    time.trim_end_matches('Z').to_owned()
}

#[cfg(test)]
impl Paint {
    /// No colours, for tests.
    pub(crate) const PLAIN: Self = Self { on: false };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        assert_eq!(printable("a\x1b[2Jb\u{9b}c\r\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}");
        assert_eq!(printable("žluť 日本"), "žluť 日本");
    }

    #[test]
    fn a_text_is_cut_at_a_character_and_only_when_it_is_longer() {
        assert_eq!(cut("日本", 2), "日本");
        assert_eq!(cut("日本語", 2), "日本…");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn colours_are_there_only_when_they_are_on() {
        assert_eq!(Paint { on: true }.green("ok"), "\x1b[32mok\x1b[0m");
        assert_eq!(Paint::PLAIN.green("ok"), "ok");
    }

    #[test]
    fn the_time_of_day_has_milliseconds() {
        assert_eq!(time_of_day(Millis(1_795_255_200_123)), "10:00:00.123");
    }
}
