//! A body as text: capped, laid out when it is JSON, described when it is not text.

use super::{json::laid_out, number::bytes};

/// Most bytes of a body that a page shows.
pub(crate) const BODY_SHOWN: usize = 32 * 1024;

/// What is shown of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    /// Its text, or none where it is not text or empty.
    pub(crate) text: Option<String>,
    /// A note under it: its size, and what is not shown.
    pub(crate) note: String,
}

impl Body {
    /// Prepares a body for a page.
    pub(crate) fn of(body: &[u8]) -> Self {
        let size = bytes(body.len() as u64);
        if body.is_empty() {
            return Self { text: None, note: "empty".to_owned() };
        }
        let Some(head) = text_head(body) else {
            return Self { text: None, note: format!("{size}, not text") };
        };
        if head.len() < body.len() {
            let shown = bytes(head.len() as u64);
            return Self { text: Some(head.to_owned()), note: format!("the first {shown} of {size}") };
        }
        Self { text: Some(laid_out(head).unwrap_or_else(|| head.to_owned())), note: size }
    }
}

/// The longest valid head within the cap, if the body is text at all.
fn text_head(body: &[u8]) -> Option<&str> {
    let capped = &body[..body.len().min(BODY_SHOWN)];
    let text = match std::str::from_utf8(capped) {
        Ok(text) => text,
        // A character that the cap (ours, or that of what is kept) cuts apart is no reason to show nothing.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&capped[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    (!text.is_empty() && !text.contains(is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_at_the_cap_is_whole_and_one_beyond_says_so() {
        let whole = Body::of(&vec![b'a'; BODY_SHOWN]);
        assert_eq!((whole.text.expect("text").len(), whole.note.as_str()), (BODY_SHOWN, "32.0 KiB"));
        let cut = Body::of(&vec![b'a'; BODY_SHOWN + 1]);
        assert_eq!(
            (cut.text.expect("text").len(), cut.note.as_str()),
            (BODY_SHOWN, "the first 32.0 KiB of 32.0 KiB")
        );
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        let mut body = vec![b'a'; BODY_SHOWN - 1];
        body.extend("é".bytes());
        assert_eq!(Body::of(&body).text.expect("text").len(), BODY_SHOWN - 1);
    }

    #[test]
    fn what_is_not_text_is_described() {
        assert_eq!(Body::of(b"").note, "empty");
        assert_eq!(Body::of(&[0xff, 0xfe, 1]), Body { text: None, note: "3 B, not text".to_owned() });
        assert_eq!(Body::of(b"a\0b").text, None);
    }

    #[test]
    fn json_is_laid_out() {
        assert_eq!(Body::of(br#"{"a":1}"#).text.as_deref(), Some("{\n  \"a\": 1\n}"));
    }
}
