//! The bounds of a part, one by one, and what holds for every text.

use proptest::prelude::*;

use super::*;

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn parts(text: &str) -> Vec<&str> {
    split(text).into_iter().map(|part| &text[part]).collect()
}

fn lengths(text: &str) -> Vec<usize> {
    parts(text).into_iter().map(units).collect()
}

/// What the module promises of the parts of any text.
fn holds(text: &str) {
    let ranges = split(text);
    let mut end = 0;
    for range in &ranges {
        let part = &text[range.clone()];
        assert!((1..=MAX_UNITS).contains(&units(part)), "{}", units(part));
        assert!(is_seen(part) && part.trim() == part, "{part:?}");
        assert!(!is_seen(&text[end..range.start]), "lost between parts: {:?}", &text[end..range.start]);
        end = range.end;
    }
    assert!(!is_seen(&text[end..]), "lost at the end");
    let joined: String = parts(text).concat();
    let seen = |text: &str| text.chars().filter(|c| is_seen(&c.to_string())).collect::<String>();
    assert_eq!(seen(&joined), seen(text), "but for what can't be seen, the parts are the text");
    // Each two of them would not have fitted into one, but for a break in the second half.
    assert!(ranges.len() <= units(text) / BREAK_AFTER + 1);
}

#[test]
fn a_text_that_fits_is_one_part() {
    assert_eq!(lengths(""), [0; 0]);
    assert_eq!(lengths("a"), [1]);
    assert_eq!(lengths(&"a".repeat(MAX_UNITS)), [4_096]);
    assert_eq!(lengths(&"a".repeat(MAX_UNITS + 1)), [4_096, 1]);
    assert_eq!(lengths(&"a".repeat(16_384)), [4_096; 4]);
}

#[test]
fn a_character_of_two_units_is_never_cut() {
    assert_eq!(lengths(&"🎓".repeat(2_048)), [4_096]);
    assert_eq!(lengths(&"🎓".repeat(2_049)), [4_096, 2]);
    assert_eq!(lengths(&format!("a{}", "🎓".repeat(2_048))), [4_095, 2]);
    assert_eq!(lengths(&"🎓".repeat(16_384)), [4_096; 8]);
    assert_eq!(lengths(&"ä€".repeat(2_049)), [4_096, 2], "bytes do not count");
}

#[test]
fn a_part_ends_at_a_line_else_at_a_blank_else_where_it_is_full() {
    let line = "word ".repeat(500).trim_end().to_owned();
    assert_eq!(parts(&format!("{line}\n{line}")), [&line, &line], "the line end, though a blank comes later");
    assert_eq!(lengths(&format!("{} {}", "a".repeat(3_000), "b".repeat(3_000))), [3_000, 3_000]);
    assert_eq!(lengths(&"a".repeat(5_000)), [4_096, 904]);
    assert_eq!(parts(&format!("{line} \r\n\t {line}")), [&line, &line], "white space at a break goes");
}

#[test]
fn a_break_in_the_first_half_is_not_taken() {
    let at = |blank: usize| lengths(&format!("{} {}", "a".repeat(blank), "b".repeat(5_000)))[0];
    assert_eq!((at(BREAK_AFTER - 1), at(BREAK_AFTER)), (4_096, 2_048));
}

#[test]
fn a_line_or_word_that_ends_where_the_part_is_full_is_whole() {
    for blank in ["\n", " ", "\r\n", "\u{3000}"] {
        let text = format!("{}{blank}b", "a".repeat(MAX_UNITS));
        assert_eq!(lengths(&text), [4_096, 1], "{blank:?}");
    }
}

#[test]
fn an_address_on_the_last_line_stays_whole() {
    for length in [2_047, 2_048] {
        for before in (1..3_000).step_by(7) {
            let url = "u".repeat(length);
            let text = format!("{}\n{url}", "a".repeat(before));
            assert!(parts(&text).iter().any(|part| part.ends_with(&url)), "{length} behind {before}");
        }
    }
}

#[test]
fn a_part_without_anything_to_see_is_left_out() {
    for nothing in [" ", "\n", "\t", "\u{a0}", "\u{200b}", "\u{2800}", "\u{feff}", "\u{1}", "\u{e0020}"] {
        assert_eq!(parts(&nothing.repeat(10_000)), [""; 0], "{nothing:?}");
        let behind = format!("a{}b", nothing.repeat(10_000));
        holds(&behind);
        assert!(parts(&behind)[0].starts_with('a'));
    }
    assert_eq!(parts(&format!("a{}b", " ".repeat(10_000))), ["a", "b"]);
    assert_eq!(parts("  \u{200f}a  "), ["\u{200f}a"], "a mark of direction stays");
}

proptest! {
    #[test]
    fn every_text_is_kept_but_for_what_cant_be_seen(
        pieces in prop::collection::vec(
            ("[a&<> \n🎓ä\u{200b}\u{2800}]{0,40}", 0_usize..300).prop_map(|(text, times)| text.repeat(times)), 0..6)
    ) {
        holds(&pieces.concat());
    }

    #[test]
    fn the_bound_holds_around_it(before in 4_080_usize..4_110, gap in "[ \n]{0,3}", wide in 0_usize..8) {
        holds(&format!("{}{gap}{}", "a".repeat(before), "🎓".repeat(wide)));
        holds(&format!("{}{gap}{}", "🎓".repeat(wide), "a".repeat(before)));
    }
}
