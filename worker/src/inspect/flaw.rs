//! Why a file could not be processed, as a sentence for its owner.
//! Never carries characters of the file that a database or a page could choke on.

use std::{fmt::Display, time::Duration};

/// Characters kept of what a decoder says.
const DETAIL_CHARS: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("the {what} is broken: {why}")]
    Broken { what: &'static str, why: String },
    #[error("the archive has more than {0} entries")]
    TooManyEntries(u64),
    #[error("the archive unpacks to more than {0} bytes")]
    TooBig(u64),
    #[error("the archive unpacks to more than {0} times its own size")]
    TooDense(u64),
    #[error("the JSON document is nested deeper than {0} levels")]
    TooDeep(usize),
    #[error("looking into the file took longer than {} seconds", .0.as_secs_f32())]
    TooSlow(Duration),
}

impl Flaw {
    pub(super) fn broken(what: &'static str, why: impl Display) -> Self {
        let why = why.to_string().chars().filter(|c| !c.is_control()).take(DETAIL_CHARS).collect();
        Self::Broken { what, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_decoder_says_is_cut_and_cleaned() {
        let why = format!("a\0b\n{}", "é".repeat(DETAIL_CHARS));
        let expected = format!("the image is broken: ab{}", "é".repeat(DETAIL_CHARS - 2));
        assert_eq!(Flaw::broken("image", why).to_string(), expected);
    }
}
