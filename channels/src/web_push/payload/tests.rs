//! What fits, what does not, and that nothing is ever too long or no JSON.

use domain::notification::MAX_MESSAGE_CHARS;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn notification(message: &str) -> Notification {
    Notification { title: None, message: message.to_owned(), url: None, notice_id: None }
}

/// The payload, and how many bytes it takes.
fn made(notification: &Notification) -> (Value, usize) {
    let payload = payload(EventId::new(), notification);
    (serde_json::from_slice(&payload).expect("JSON"), payload.len())
}

fn body_of(notification: &Notification) -> (String, usize) {
    let (json, bytes) = made(notification);
    (json["body"].as_str().expect("text").to_owned(), bytes)
}

/// What is left for a message that goes alone.
fn room() -> usize {
    MAX_PLAINTEXT_BYTES - made(&notification("")).1
}

#[test]
fn a_payload_holds_what_there_is_and_no_more() {
    let (id, notice) = (EventId::new(), NoticeId::new());
    let read = |one: &Notification| serde_json::from_slice::<Value>(&payload(id, one)).expect("JSON");
    let bare = notification("m");
    assert_eq!(read(&bare), json!({"title": "Notification", "body": "m", "event_id": id}));
    let url = Some("https://a.example/?a=\"b\"".to_owned());
    let full =
        Notification { title: Some("t".to_owned()), url: url.clone(), notice_id: Some(notice), ..bare };
    let expected = json!({"title": "t", "body": "m", "url": url, "notice_id": notice, "event_id": id});
    assert_eq!(read(&full), expected);
}

#[test]
fn the_most_that_fits_is_3993_bytes() {
    assert_eq!(MAX_PLAINTEXT_BYTES, 3_993);
    let fits = "m".repeat(room());
    assert_eq!(body_of(&notification(&fits)), (fits.clone(), MAX_PLAINTEXT_BYTES));
    let (body, bytes) = body_of(&notification(&(fits.clone() + "m")));
    assert_eq!((body, bytes), (fits[3..].to_owned() + "…", MAX_PLAINTEXT_BYTES));
}

#[test]
fn escapes_count_as_they_are_written() {
    for (c, bytes) in
        [('"', 2), ('\\', 2), ('\n', 2), ('\u{1}', 6), ('ä', 2), ('€', 3), ('😀', 4), ('\u{7f}', 1)]
    {
        let fits: String = std::iter::repeat_n(c, room() / bytes).collect();
        assert_eq!(body_of(&notification(&fits)).0, fits, "{c:?}");
        let (body, length) = body_of(&notification(&format!("{fits}{c}")));
        let kept = body.strip_suffix('…').expect("cut");
        assert_eq!(kept.chars().count(), (room() - 3) / bytes, "{c:?}");
        assert!(length <= MAX_PLAINTEXT_BYTES && length + bytes > MAX_PLAINTEXT_BYTES, "{c:?}: {length}");
    }
}

#[test]
fn a_link_is_kept_up_to_its_bound() {
    let of = |bytes: usize| {
        let url = Some(format!("https://a.example/{}", "u".repeat(bytes - 18)));
        made(&Notification { url, ..notification("m") }).0["url"].as_str().map(str::len)
    };
    assert_eq!(of(MAX_SHOWN_URL_BYTES), Some(MAX_SHOWN_URL_BYTES));
    assert_eq!(of(MAX_SHOWN_URL_BYTES + 1), None);
}

#[test]
fn a_title_is_kept_up_to_its_bound_and_the_message_is_shown_whatever_it_is() {
    let of = |chars: usize| {
        let url = Some("u".repeat(MAX_SHOWN_URL_BYTES));
        let title = Some("\u{1}".repeat(chars));
        let notice_id = Some(NoticeId::new());
        made(&Notification { title, url, notice_id, ..notification(&"m".repeat(MAX_MESSAGE_CHARS)) })
    };
    for chars in [MAX_TITLE_CHARS, MAX_TITLE_CHARS + 1] {
        let (json, bytes) = of(chars);
        assert_eq!(json["title"].as_str().map(str::len), Some(MAX_TITLE_CHARS));
        assert!(json["body"].as_str().expect("text").len() > 200, "{json}");
        assert_eq!(bytes, MAX_PLAINTEXT_BYTES);
    }
}

proptest! {
    #[test]
    fn no_payload_is_too_long_and_each_is_json(
        message in r"(\PC|[\x00-\x1f]|[\\\x22😀]){0,5000}",
        title in proptest::option::of(r"[\x00-\xff]{0,300}"),
    ) {
        let (json, bytes) = made(&Notification { title, ..notification(&message) });
        prop_assert!(bytes <= MAX_PLAINTEXT_BYTES);
        let body = json["body"].as_str().expect("text");
        prop_assert!(body == message || message.starts_with(body.strip_suffix('…').expect("cut")));
    }

    #[test]
    fn what_a_text_takes_is_what_serde_writes(text in r"(\PC|[\x00-\x9f]|[\\\x22]){0,200}") {
        prop_assert_eq!(escaped(&text), serde_json::to_string(&text).expect("a string").len() - 2);
    }
}
