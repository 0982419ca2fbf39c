//! Takes a secret out of what a server sent back, before anybody keeps it. Pure.

use crate::report::MASK;

/// A piece of the secret at the very end of a kept head is taken out, too, from this many characters on: less tells nothing.
const MIN_PIECE: usize = 4;

/// `bytes` with [`MASK`] in place of `secret`, in whatever case it stands there, and of the part of it that the end of
/// what was kept cut through. `None` when there is nothing to take out. `secret` is ASCII and not empty.
pub(super) fn masked(bytes: &[u8], secret: &str) -> Option<Vec<u8>> {
    let mut clean = Vec::new();
    let mut rest = bytes;
    while let Some(at) = find(rest, secret.as_bytes()) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(MASK.as_bytes());
        rest = &rest[at + secret.len()..];
    }
    let piece = piece_at_end(rest, secret.as_bytes());
    if rest.len() == bytes.len() && piece == 0 {
        return None;
    }
    clean.extend_from_slice(&rest[..rest.len() - piece]);
    if piece > 0 {
        clean.extend_from_slice(MASK.as_bytes());
    }
    Some(clean)
}

fn find(bytes: &[u8], secret: &[u8]) -> Option<usize> {
    bytes.windows(secret.len()).position(|window| window.eq_ignore_ascii_case(secret))
}

/// How many bytes at the end are the beginning of the secret.
fn piece_at_end(bytes: &[u8], secret: &[u8]) -> usize {
    let ends_with = |piece: &[u8]| {
        let at = bytes.len().checked_sub(piece.len());
        at.is_some_and(|at| bytes[at..].eq_ignore_ascii_case(piece))
    };
    (MIN_PIECE..secret.len()).rev().find(|length| ends_with(&secret[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AAbb-CC_dd";

    fn of(text: &str) -> Option<String> {
        masked(text.as_bytes(), SECRET).map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
    }

    #[test]
    fn a_secret_is_taken_out_wherever_and_however_it_stands() {
        assert_eq!(of("/bot1:AAbb-CC_dd/x").as_deref(), Some("/bot1:…/x"));
        assert_eq!(of("AAbb-CC_dd").as_deref(), Some("…"));
        assert_eq!(of("äAAbb-CC_ddäAAbb-CC_ddAAbb-CC_dd").as_deref(), Some("ä…ä……"));
        assert_eq!(of("bot1%3Aaabb-cc_dd and AABB-CC_DD").as_deref(), Some("bot1%3A… and …"));
        assert_eq!(of("AAAAbb-CC_dd").as_deref(), Some("AA…"));
    }

    #[test]
    fn what_holds_no_secret_is_left_alone() {
        for text in ["", "a", "AAbb-CC_d and more", "AAbb", "AAb", r#"{"ok":true}"#] {
            assert_eq!(of(text).is_some(), text == "AAbb", "{text}");
        }
        assert_eq!(masked(b"\xff\xfe", SECRET), None);
    }

    #[test]
    fn a_secret_that_the_end_cuts_through_goes_too() {
        for kept in MIN_PIECE..SECRET.len() {
            assert_eq!(of(&format!("x {}", &SECRET[..kept])).as_deref(), Some("x …"), "{kept}");
            assert_eq!(of(&format!("{SECRET} {}", &SECRET[..kept])).as_deref(), Some("… …"), "{kept}");
        }
        assert_eq!(of(&format!("x {}", &SECRET[..MIN_PIECE - 1])), None);
        assert_eq!(masked(b"x", "x").as_deref(), Some(MASK.as_bytes()), "a short one has no pieces");
    }
}
