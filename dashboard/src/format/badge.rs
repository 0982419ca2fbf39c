//! A state as icon and word: colour alone says nothing to every tenth reader.

use askama::Template;

/// What a badge looks like; each tone has an icon of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Went well.
    Good,
    /// Under way.
    Busy,
    /// Waits.
    Calm,
    /// Needs watching.
    Warn,
    /// Went wrong.
    Bad,
    /// Stopped on purpose.
    Held,
    /// Over, without a verdict.
    Mute,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Calm => "calm",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Held => "held",
            Self::Mute => "mute",
        }
    }
}

/// Icon and word.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "parts/badge.html")]
pub(crate) struct Badge {
    tone: Tone,
    label: String,
}

impl Badge {
    /// A badge that says `label`.
    pub(crate) fn new(tone: Tone, label: impl Into<String>) -> Self {
        Self { tone, label: label.into() }
    }
}
