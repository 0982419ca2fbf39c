//! What a chat reads of a notification: the HTML of each part, read strictly.

use domain::notification::{MAX_MESSAGE_CHARS, MAX_TITLE_CHARS};
use proptest::prelude::*;

use super::*;
use crate::telegram::split::MAX_UNITS;

fn notification(title: Option<&str>, message: &str, url: Option<&str>) -> Notification {
    let (title, url) = (title.map(str::to_owned), url.map(str::to_owned));
    Notification { title, message: message.to_owned(), url, notice_id: None }
}

fn parts_of(title: Option<&str>, message: &str, url: Option<&str>) -> Vec<String> {
    parts(&notification(title, message, url))
}

/// The text of a part and how much of its beginning is bold; fails on what is not one `<b>` at most, at the beginning, and
/// the three escapes.
fn plain_text(html: &str) -> (String, usize) {
    let unescape = |text: &str| {
        let bare = text.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "");
        assert!(!bare.contains(['<', '>', '&']), "{html}");
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    };
    let Some(rest) = html.strip_prefix("<b>") else { return (unescape(html), 0) };
    let (bold, rest) = rest.split_once("</b>").expect("closed");
    let bold = unescape(bold);
    (format!("{bold}{}", unescape(rest)), bold.len())
}

#[test]
fn title_message_and_address_stand_in_order() {
    assert_eq!(parts_of(None, "m", None), ["m"]);
    assert_eq!(parts_of(Some("t"), "m", None), ["<b>t</b>\n\nm"]);
    assert_eq!(parts_of(Some("t"), "m", Some("https://a.example/")), ["<b>t</b>\n\nm\nhttps://a.example/"]);
    assert_eq!(parts_of(None, "m", Some("u")), ["m\nu"]);
    assert_eq!(parts_of(Some(" t\n"), "\n m ", Some("u ")), ["<b>t</b>\n\n\n m \nu"]);
}

#[test]
fn what_can_not_be_seen_takes_no_place() {
    assert_eq!(parts_of(Some(" \u{200b}"), "m", Some("")), ["m"]);
    assert_eq!(parts_of(Some("t"), " ", None), ["<b>t</b>"]);
    assert_eq!(parts_of(Some("t"), "\u{2800}", Some("u")), ["<b>t</b>\nu"]);
    assert_eq!(parts_of(Some(""), " \n\u{200b}", None), [""; 0]);
}

#[test]
fn what_html_means_something_by_is_escaped_and_quotes_are_not() {
    let html = parts_of(Some("<b>&amp;"), "a < b && \"c\" > 'd'</b>", Some("https://a.example/?x=1&y=2"));
    let expected = "<b>&lt;b&gt;&amp;amp;</b>\n\na &lt; b &amp;&amp; \"c\" &gt; 'd'&lt;/b&gt;\nhttps://a.example/?x=1&amp;y=2";
    assert_eq!(html, [expected]);
}

#[test]
fn escapes_and_tags_do_not_count_and_are_never_cut() {
    let html = parts_of(None, &"&".repeat(MAX_UNITS + 1), None);
    assert_eq!(html, ["&amp;".repeat(MAX_UNITS), "&amp;".to_owned()]);
    let message = "<".repeat(MAX_UNITS - 3);
    let html = parts_of(Some("t"), &message, None);
    assert_eq!(html.len(), 1, "a title and two line ends beside it");
    assert_eq!(plain_text(&html[0]).0.encode_utf16().count(), MAX_UNITS);
    assert_eq!(parts_of(Some("t"), &format!("{message}<"), None).len(), 2);
}

#[test]
fn the_longest_notification_goes_in_nine_parts() {
    let title = "🎓".repeat(MAX_TITLE_CHARS);
    let html = parts_of(Some(&title), &"🎓".repeat(MAX_MESSAGE_CHARS), Some(&"u".repeat(2_048)));
    assert_eq!(html.len(), 9);
    assert_eq!(plain_text(&html[0]).1, title.len(), "the title is bold, and whole");
    assert!(html[1..].iter().all(|part| plain_text(part).1 == 0));
    assert!(html[8].ends_with(&format!("\n{}", "u".repeat(2_048))));
}

#[test]
fn a_title_of_any_length_is_bold_in_each_of_its_parts() {
    let html = parts_of(Some(&"t".repeat(5_000)), "m", None);
    let bold = |letters: usize| format!("<b>{}</b>", "t".repeat(letters));
    assert_eq!(html, [bold(4_096), format!("{}\n\nm", bold(904))]);
}

proptest! {
    #[test]
    fn every_part_is_valid_and_within_the_bound(
        title in prop::option::of("[a&<>\" \n🎓]{0,300}"),
        (message, times) in ("[a&<>\"'; \n🎓ä]{1,60}", 1_usize..300),
        url in prop::option::of("https://[a-z&=]{1,60}"),
    ) {
        let note = notification(title.as_deref(), &message.repeat(times), url.as_deref());
        let html = parts(&note);
        let read: Vec<_> = html.iter().map(|part| plain_text(part)).collect();
        for (text, _) in &read {
            prop_assert!((1..=MAX_UNITS).contains(&text.encode_utf16().count()));
        }
        let solid = |text: &str| text.split_whitespace().collect::<String>();
        let joined: String = read.iter().map(|(text, _)| solid(text)).collect();
        let whole = [note.title.as_deref(), Some(&note.message), note.url.as_deref()];
        prop_assert_eq!(joined, whole.into_iter().flatten().map(solid).collect::<String>());
        prop_assert_eq!(html, parts(&note), "the same each time");
    }
}
