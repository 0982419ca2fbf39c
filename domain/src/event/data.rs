//! The bounds of an event's `data`: any JSON within them. It is scanned, never rewritten.

/// Most bytes of `data`, as written.
pub const MAX_DATA_BYTES: usize = 256 * 1024;
/// Deepest nesting of arrays and objects.
pub const MAX_NESTING: usize = 100;

/// Why data is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// Above [`MAX_DATA_BYTES`].
    #[error("has more than {MAX_DATA_BYTES} bytes as JSON")]
    TooLarge,
    /// Above [`MAX_NESTING`].
    #[error("is nested more than {MAX_NESTING} levels deep")]
    TooDeep,
    /// `\u0000` in a string or in a name.
    #[error("must not contain a NUL character")]
    Nul,
}

/// Checks the bounds of `json`, which is valid JSON already.
///
/// # Errors
/// Returns the first violated bound.
pub fn check_data(json: &str) -> Result<(), DataError> {
    if json.len() > MAX_DATA_BYTES {
        return Err(DataError::TooLarge);
    }
    let mut bytes = json.as_bytes();
    let mut depth = 0_usize;
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        match first {
            b'"' => bytes = after_string(rest)?,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(DataError::TooDeep);
        }
    }
    Ok(())
}

/// Returns the text after the string whose opening quote was just read.
fn after_string(mut bytes: &[u8]) -> Result<&[u8], DataError> {
    loop {
        bytes = match bytes {
            [] => return Ok(bytes),
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', b'u', b'0', b'0', b'0', b'0', ..] => return Err(DataError::Nul),
            // The escaped character may be a quote or a backslash, neither of which has a meaning here.
            [b'\\', _, rest @ ..] | [_, rest @ ..] => rest,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_is_bounded_as_written() {
        let of = |bytes: usize| check_data(&format!("\"{}\"", "x".repeat(bytes - 2)));
        assert_eq!((of(MAX_DATA_BYTES), of(MAX_DATA_BYTES + 1)), (Ok(()), Err(DataError::TooLarge)));
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_strings_do_not_count() {
        let of = |depth: usize| check_data(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        assert_eq!((of(MAX_NESTING), of(MAX_NESTING + 1)), (Ok(()), Err(DataError::TooDeep)));
        assert_eq!(check_data(&format!("{{\"a\\\"\":\"{}\"}}", "[".repeat(500))), Ok(()));
        assert_eq!(check_data(&format!("[{}]", vec!["{}"; 500].join(","))), Ok(()), "wide is not deep");
    }

    #[test]
    fn a_nul_is_found_and_an_escaped_backslash_before_u0000_is_none() {
        for json in [r#""\u0000""#, r#"{"a\u0000":1}"#, r#"["\\\u0000"]"#, r#""x\"\u0000""#] {
            assert_eq!(check_data(json), Err(DataError::Nul), "{json}");
        }
        for json in
            [r#""\\u0000""#, r#""\u00000""#.replace("00000", "00010").as_str(), "null", r#""\\""#, "-1.5e3"]
        {
            assert_eq!(check_data(json), Ok(()), "{json}");
        }
    }
}
