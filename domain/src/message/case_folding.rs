//! Case folding, the same on both databases.

/// Folds each character of `text` separately: to upper case first, so that `ß` matches `SS`, then to lower case, so that all
/// forms of sigma match. A substring stays a substring, whatever surrounds it.
#[must_use]
pub fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn case_makes_no_difference_in_any_script() {
        for (one, other) in [
            ("Hello", "hELLO"),
            ("ÄÖÜ", "äöü"),
            ("ПРИВЕТ", "привет"),
            ("STRASSE", "straße"),
            ("ΟΔΟΣ", "οδος"),
        ] {
            assert_eq!(folded(one), folded(other), "{one}");
        }
        assert_ne!(folded("a"), folded("ä"));
    }

    #[test]
    fn a_part_of_a_text_stays_a_part_of_it() {
        assert!(folded("ΟΔΟΣΗΜΑ").contains(&folded("οδος")), "a final sigma is a sigma");
        assert!(folded("100% sure_").contains(&folded("% SURE_")));
        assert_eq!(folded(""), "");
    }
}
