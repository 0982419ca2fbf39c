//! The problems of the settings, reported together. Messages never contain the value of a secret.

use std::fmt;

use super::settings::settings;

/// The exit code of a process that cannot start with its settings.
pub const EXIT_CODE: u8 = 2;

/// One setting that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name.
    pub name: &'static str,
    /// What is wrong, and the rule that it breaks.
    pub wrong: String,
}

/// Every setting that is wrong; never empty. `Display` writes one a line: `NAME: what is wrong`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Problem>);

impl ConfigErrors {
    /// Returns `Ok` when there is no problem.
    pub(super) fn check(mut problems: Vec<Problem>) -> Result<(), Self> {
        problems.sort_by_key(|problem| settings().position(|setting| setting.name == problem.name));
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// A single problem with the setting `name`.
    pub(super) fn one(name: &'static str, wrong: impl Into<String>) -> Self {
        Self(vec![Problem { name, wrong: wrong.into() }])
    }

    /// The problems, in the order of the settings.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    /// Writes the problems to standard error, one a line, and returns the exit code for wrong settings.
    #[must_use]
    pub fn report(&self) -> std::process::ExitCode {
        eprintln!("{self}");
        std::process::ExitCode::from(EXIT_CODE)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> =
            self.0.iter().map(|problem| format!("{}: {}", problem.name, problem.wrong)).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}
