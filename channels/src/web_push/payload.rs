//! The payload for a browser's service worker: a notification as JSON, truncated to fit one push message. Pure.

use domain::{
    id::{EventId, NoticeId},
    notification::{MAX_TITLE_CHARS, Notification},
};
use serde::Serialize;

use super::encrypt::{MAX_BODY_BYTES, OVERHEAD_BYTES};

/// Most bytes of JSON in one message (RFC 8291 §4).
pub const MAX_PLAINTEXT_BYTES: usize = MAX_BODY_BYTES - OVERHEAD_BYTES;
/// The title of messages without one: browsers always show a title.
pub const DEFAULT_TITLE: &str = "Notification";
/// Most bytes of an escaped link; a longer one is omitted, since a truncated link is useless.
pub const MAX_SHOWN_URL_BYTES: usize = 2_048;
/// Ends a truncated text.
const CUT: &str = "…";
/// Most bytes that a character takes in JSON: `\u0001`.
const MAX_ESCAPED: usize = 6;
/// Bytes of a payload's names, punctuation and ids.
const MAX_FRAME: usize = r#"{"title":"","body":"","url":"","notice_id":"","event_id":""}"#.len() + 2 * 36;

// Some of the message always fits, whatever title and link are.
const _: () =
    assert!(MAX_FRAME + MAX_TITLE_CHARS * MAX_ESCAPED + MAX_SHOWN_URL_BYTES + 256 < MAX_PLAINTEXT_BYTES);

#[derive(Serialize)]
struct Payload<'a> {
    title: &'a str,
    body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice_id: Option<NoticeId>,
    event_id: EventId,
}

impl Payload<'_> {
    fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings are always written")
    }
}

/// Returns `{"title","body","url"?,"notice_id"?,"event_id"}` of at most [`MAX_PLAINTEXT_BYTES`]. A message that does not fit
/// is cut between two characters and ends with `…`.
pub(super) fn payload(event_id: EventId, notification: &Notification) -> Vec<u8> {
    let title = first_chars(notification.title.as_deref().unwrap_or(DEFAULT_TITLE), MAX_TITLE_CHARS);
    let url = notification.url.as_deref().filter(|url| escaped(url) <= MAX_SHOWN_URL_BYTES);
    let notice_id = notification.notice_id;
    let with = |body: &str| Payload { title, body, url, notice_id, event_id }.write();
    let room = MAX_PLAINTEXT_BYTES - with("").len();
    if escaped(&notification.message) <= room {
        return with(&notification.message);
    }
    with(&format!("{}{CUT}", beginning(&notification.message, room - CUT.len())))
}

fn first_chars(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// Returns the longest prefix of `text` that takes at most `room` bytes in JSON.
fn beginning(text: &str, room: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += escaped_char(*c);
        taken > room
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// Returns the length of the text in JSON, without the quotes.
fn escaped(text: &str) -> usize {
    text.chars().map(escaped_char).sum()
}

/// Returns the length of a character as serde_json writes it, which escapes only what it must.
const fn escaped_char(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => MAX_ESCAPED,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
