//! A notification as Telegram is given it: title in bold, message, address, as HTML in parts. Pure.

use std::ops::Range;

use domain::notification::Notification;

use super::split::{is_seen, split};

/// Renders `notification` as messages, each valid HTML of the Bot API; none when it has no visible content.
///
/// Without tags and escapes they are the parts of "title, empty line, message, line end, address" (see [`split`]); the parts
/// of a title are bold.
pub(super) fn parts(notification: &Notification) -> Vec<String> {
    let (text, title) = plain(notification);
    split(&text).into_iter().map(|part| html(&text, part, title)).collect()
}

/// Whether Telegram finds anything to show in `notification`; without it, every chat refuses it.
#[must_use]
pub fn has_content(notification: &Notification) -> bool {
    is_seen(&plain(notification).0)
}

/// The whole text, and how many bytes of it are the title.
fn plain(notification: &Notification) -> (String, usize) {
    let title =
        notification.title.as_deref().map(str::trim).filter(|title| is_seen(title)).unwrap_or_default();
    let mut text = title.to_owned();
    for (gap, piece) in [("\n\n", Some(&notification.message)), ("\n", notification.url.as_ref())] {
        if let Some(piece) = piece.filter(|piece| is_seen(piece)) {
            text.push_str(if text.is_empty() { "" } else { gap });
            text.push_str(piece);
        }
    }
    (text, title.len())
}

fn html(text: &str, part: Range<usize>, title: usize) -> String {
    let bold = part.end.min(title).max(part.start);
    let mut html = String::with_capacity(part.len() + part.len() / 8);
    if bold > part.start {
        html.push_str("<b>");
        escape(&mut html, &text[part.start..bold]);
        html.push_str("</b>");
    }
    escape(&mut html, &text[bold..part.end]);
    html
}

/// The three characters that mean something in the Bot API's HTML; a quote means nothing outside of a tag.
fn escape(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests;
