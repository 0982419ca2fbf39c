//! Phone numbers in E.164 format.

/// Most digits of a number (ITU-T E.164, section 6).
const DIGITS: usize = 15;

/// Whether a text is `+` and 1 to 15 ASCII digits.
pub(super) fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (1..=DIGITS).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_e164;

    #[test]
    fn a_number_is_a_plus_and_one_to_fifteen_digits() {
        for good in ["+1", "+919876543210", "+123456789012345"] {
            assert!(is_e164(good), "{good}");
        }
        for bad in ["", "+", "1", "++1", "+1234567890123456", "+1 2", "+1a", " +1", "+1\n", "+١٢٣", "＋1"]
        {
            assert!(!is_e164(bad), "{bad:?}");
        }
    }
}
