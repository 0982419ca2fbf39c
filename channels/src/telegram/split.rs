//! Cuts a text into messages that Telegram takes. Pure: the same text always has the same parts, so that a number says which
//! of them are out already.

use std::ops::Range;

/// Longest message, in UTF-16 units of its text without tags and escapes (Bot API, `sendMessage`).
pub const MAX_UNITS: usize = 4_096;
/// A line end or a blank is looked for behind this many units: no part is a scrap only because a line ends early.
const BREAK_AFTER: usize = MAX_UNITS / 2;

/// The parts of `text`, as ranges of its bytes: each of at most [`MAX_UNITS`], in order, without white space at its ends, and
/// each with something to see. Between them, before the first and after the last there is nothing but white space and what
/// can't be seen. A part ends at the last line end in its second half, else at the last white space there, else where
/// it is full; never inside a character.
pub(super) fn split(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let blank = rest.len() - rest.trim_start().len();
        let rest = &rest[blank..];
        let length = cut(rest);
        let part = rest[..length].trim_end();
        if is_seen(part) {
            parts.push(start + blank..start + blank + part.len());
        }
        start += blank + length;
    }
    parts
}

/// Where the first part of `text` ends, in bytes; 0 only for an empty text.
fn cut(text: &str) -> usize {
    let Some(full) = offset_of(text, MAX_UNITS) else { return text.len() };
    let early = offset_of(text, BREAK_AFTER).unwrap_or(full);
    // A line or word that ends exactly where the part is full is whole.
    let next = text[full..].chars().next().map_or(0, char::len_utf8);
    let breaks = &text[..full + next];
    let line = breaks.rfind('\n').filter(|at| *at >= early);
    line.or_else(|| breaks.rfind(char::is_whitespace).filter(|at| *at >= early)).unwrap_or(full)
}

/// Behind how many bytes the text has `units` units or, where a character would be cut through, one less; `None` when it
/// has no more than `units`.
fn offset_of(text: &str, units: usize) -> Option<usize> {
    let mut before = 0;
    for (at, character) in text.char_indices() {
        before += character.len_utf16();
        if before > units {
            return Some(at);
        }
    }
    None
}

/// Whether Telegram finds anything to show in it: a message of nothing but these is refused as empty (td's
/// `strip_empty_characters`).
pub(super) fn is_seen(text: &str) -> bool {
    !text
        .chars()
        .all(|character| character.is_whitespace() || character.is_control() || is_invisible(character))
}

const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2800}' | '\u{feff}' | '\u{fffc}'
            | '\u{33f}' | '\u{333}' | '\u{30a}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests;
