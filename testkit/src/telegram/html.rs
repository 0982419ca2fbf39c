//! Reads a message's HTML, stricter than the real one: what it does not know, it refuses.

/// Longest text, in UTF-16 units.
const MAX_UNITS: usize = 4_096;
/// Largest text with tags and escapes, in bytes.
const MAX_BYTES: usize = 32_768;
const ENTITIES: [(&str, char); 4] = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')];

/// Why the message can't be taken, in the words of the real one; `None` when it can.
pub(super) fn objection(html: &str) -> Option<String> {
    if html.len() > MAX_BYTES {
        return Some("Bad Request: text is too long".to_owned());
    }
    let text = match text(html) {
        Ok(text) => text,
        Err(why) => return Some(format!("Bad Request: can't parse entities: {why}")),
    };
    let nothing =
        |c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2800}' | '\u{feff}');
    if text.chars().all(nothing) {
        return Some("Bad Request: message text is empty".to_owned());
    }
    (text.encode_utf16().count() > MAX_UNITS).then(|| "Bad Request: message is too long".to_owned())
}

/// The text without tags and escapes. Knows `<b>`, not nested, and the four named entities.
pub(super) fn text(html: &str) -> Result<String, String> {
    let (mut text, mut rest, mut is_bold) = (String::new(), html, false);
    while let Some(at) = rest.find(['<', '>', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let tag = if is_bold { "</b>" } else { "<b>" };
        if let Some(behind) = rest.strip_prefix(tag) {
            (rest, is_bold) = (behind, !is_bold);
        } else if let Some((entity, meant)) = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)) {
            text.push(*meant);
            rest = &rest[entity.len()..];
        } else {
            return Err(format!("Unsupported markup at byte offset {}", html.len() - rest.len()));
        }
    }
    if is_bold {
        Err("Can't find end tag corresponding to start tag \"b\"".to_owned())
    } else {
        Ok(text + rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_html_is_read() {
        assert_eq!(text("<b>a&amp;</b>\n&lt;b&gt; &quot;c\"").as_deref(), Ok("a&\n<b> \"c\""));
        assert_eq!(objection("a"), None);
        assert_eq!(objection(&"&amp;".repeat(MAX_UNITS)), None);
    }

    #[test]
    fn everything_else_is_refused_in_the_words_of_the_real_one() {
        for html in ["<", "a > b", "&", "&amp", "&nbsp;", "<i>a</i>", "<b>a", "a</b>", "<b><b>a</b></b>"] {
            let why = objection(html).expect(html);
            assert!(why.starts_with("Bad Request: can't parse entities: "), "{html}: {why}");
        }
        for html in ["", " \n", "<b> </b>", "\u{200b}"] {
            assert_eq!(objection(html).as_deref(), Some("Bad Request: message text is empty"), "{html:?}");
        }
        for html in ["a".repeat(MAX_UNITS + 1), "🎓".repeat(MAX_UNITS / 2 + 1)] {
            assert_eq!(objection(&html).as_deref(), Some("Bad Request: message is too long"));
        }
        let raw = "&quot;".repeat(MAX_BYTES / 6 + 1);
        assert_eq!(objection(&raw).as_deref(), Some("Bad Request: text is too long"));
    }
}
