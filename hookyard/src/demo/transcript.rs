//! The transcript: numbered steps, calls as a user would type them, aligned responses.

use std::cell::Cell;

use serde_json::Value;

use crate::terminal::{Paint, cut, say};

/// Longest line of a body that is shown.
const MAX_LINE: usize = 96;
/// Width of the labels.
const LABEL: usize = 20;

/// Prints the transcript to standard output.
pub(super) struct Transcript {
    paint: Paint,
    steps: Cell<u32>,
}

impl Transcript {
    pub(super) fn new() -> Self {
        Self { paint: Paint::of_stdout(), steps: Cell::new(0) }
    }

    /// A line of its own.
    pub(super) fn title(&self, text: &str) {
        say(&format!("\n{}", self.paint.bold(text)));
    }

    /// The head of the next step.
    pub(super) fn step(&self, text: &str) {
        self.steps.set(self.steps.get() + 1);
        say(&format!("\n{}  {}", self.paint.cyan(&self.steps.get().to_string()), self.paint.bold(text)));
    }

    /// A command as one would type it; further lines are its continuation.
    pub(super) fn command(&self, lines: &[&str]) {
        let last = lines.len().saturating_sub(1);
        for (place, line) in lines.iter().enumerate() {
            let (prompt, end) =
                (if place == 0 { "$ " } else { "    " }, if place == last { "" } else { " \\" });
            say(&format!("   {}{}{end}", self.paint.dim(prompt), self.paint.cyan(line)));
        }
    }

    /// What came back: a status, and what it says.
    pub(super) fn answer(&self, status: u16, text: &str) {
        say(&format!("   {}  {text}", self.paint.green(&status.to_string())));
    }

    /// A name and a value.
    pub(super) fn row(&self, label: &str, value: &str) {
        say(&format!("   {label:<LABEL$}{value}"));
    }

    /// The same under an answer.
    pub(super) fn inner_row(&self, label: &str, value: &str) {
        say(&format!("        {label:<LABEL$}{value}"));
    }

    /// A line as it is.
    pub(super) fn plain(&self, text: &str) {
        say(&format!("   {text}"));
    }

    /// A remark.
    pub(super) fn note(&self, text: &str) {
        say(&format!("   {}", self.paint.dim(text)));
    }

    /// A document, with long lines cut.
    pub(super) fn json(&self, value: &Value) {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        text.lines().for_each(|line| say(&format!("   {}", cut(line, MAX_LINE))));
    }

    /// Something that was checked, and held.
    pub(super) fn tick(&self, text: &str) {
        say(&format!("   {} {text}", self.paint.green("✓")));
    }

    /// Something that did not hold.
    pub(super) fn cross(&self, text: &str) {
        say(&format!("\n   {} {text}", self.paint.red("✗")));
    }

    pub(super) fn blank(&self) {
        say("");
    }
}
