//! Whole files, from the first byte to the sentence that their owner reads.

use std::{
    io::{Seek, Write},
    time::Duration,
};

use domain::upload::{JsonKind, UploadState};
use sha2::{Digest as _, Sha256};

use super::*;

fn file(content: impl AsRef<[u8]>) -> File {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(content.as_ref()).expect("written");
    file
}

fn inspected(name: &str, content: impl AsRef<[u8]>) -> Inspection {
    inspect(&mut file(content), name, &Limits::default()).expect("a disk that works")
}

/// The media type and the facts of a file that could be processed.
fn found(name: &str, content: impl AsRef<[u8]>) -> (String, Facts) {
    let seen = inspected(name, content);
    assert_eq!((seen.state(), &seen.failure), (UploadState::Processed, &None));
    (seen.media_type.expect("a media type"), seen.facts.expect("facts"))
}

fn plain(lines: u64) -> (String, Facts) {
    ("text/plain".to_owned(), Facts::Text { lines })
}

fn csv(lines: u64, columns: u64) -> (String, Facts) {
    ("text/csv".to_owned(), Facts::Csv { lines, columns })
}

fn json(top_level: Option<JsonKind>) -> (String, Facts) {
    ("application/json".to_owned(), Facts::Json { valid: top_level.is_some(), top_level })
}

/// The smallest PNG that one finds everywhere: 68 bytes, one pixel.
const PIXEL: &str = "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b49444154\
                     78da6364600000000600023081d02f0000000049454e44ae426082";

#[test]
fn the_smallest_picture_is_told_in_full() {
    let pixel = hex::decode(PIXEL).expect("hex");
    let seen = inspected("picture.txt", &pixel);
    assert_eq!(seen.size_bytes, pixel.len() as u64);
    assert_eq!(seen.sha256, Some(hex::encode(Sha256::digest(&pixel))));
    assert_eq!(seen.media_type.as_deref(), Some("image/png"));
    assert_eq!(seen.facts, Some(Facts::Image { width: 1, height: 1 }));
    assert_eq!(seen.failure, None);
}

#[test]
fn an_empty_file_is_processed() {
    let seen = inspected("empty.json", "");
    assert_eq!((seen.size_bytes, seen.state()), (0, UploadState::Processed));
    assert_eq!(
        seen.sha256.as_deref(),
        Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    );
    assert_eq!(seen.media_type.as_deref(), Some("application/x-empty"));
    assert_eq!(seen.facts, Some(Facts::Other));
}

#[test]
fn the_file_is_read_from_its_beginning_wherever_it_stood() {
    let mut file = file("a\nb\n");
    file.seek(std::io::SeekFrom::End(0)).expect("sought");
    let seen = inspect(&mut file, "a.txt", &Limits::default()).expect("a disk that works");
    assert_eq!((seen.size_bytes, seen.facts), (4, Some(Facts::Text { lines: 2 })));
}

#[test]
fn text_has_lines_whatever_its_encoding_and_line_ends() {
    assert_eq!(found("a.txt", "a\nb\nc"), plain(3));
    assert_eq!(found("a", "\u{feff}a\r\nb\r\n"), plain(2));
    assert_eq!(found("a.txt", b"caf\xe9\ncr\xe8me\n"), plain(2));
    assert_eq!(found("a.html", "<html>\n</html>\n"), ("text/html".to_owned(), Facts::Text { lines: 2 }));
}

#[test]
fn a_nul_or_any_other_control_byte_makes_a_file_binary_however_late_it_comes() {
    let binary = ("application/octet-stream".to_owned(), Facts::Other);
    assert_eq!(found("a.txt", "a\0b"), binary);
    assert_eq!(found("a.csv", format!("{}\u{1}", "a,b\n".repeat(50_000))), binary);
    assert_eq!(found("\0", [0xde, 0xad, 0xbe, 0xef, 0x00]), binary);
}

#[test]
fn the_name_decides_between_kinds_of_text_and_nothing_else() {
    assert_eq!(found("a.csv", "a,b\n1,2\n"), csv(2, 2));
    assert_eq!(found("A.CSV", "one\ntwo\n"), csv(2, 1));
    assert_eq!(found("a.txt", "a,b\n1,2\n"), plain(2));
    assert_eq!(found("a", "a,b\n1,2\n"), csv(2, 2));
    assert_eq!(
        found("a.tsv", "a\tb\tc\n"),
        ("text/tab-separated-values".to_owned(), Facts::Csv { lines: 1, columns: 3 })
    );
    assert_eq!(found("a.png", "no picture"), plain(1));
    assert_eq!(found("a.zip", "{\"a\": 1}"), json(Some(JsonKind::Object)));
}

#[test]
fn a_table_may_be_wide_ragged_quoted_marked_and_on_one_line() {
    let wide = vec!["x"; 10_000].join(",");
    assert_eq!(found("a.csv", format!("{wide}\n{wide}\n")), csv(2, 10_000));
    assert_eq!(found("a.csv", "a,b\n1,2,3\n4"), csv(3, 3));
    assert_eq!(found("a.csv", "\u{feff}\"a\n,\r\nb\",c\r\n1,2\r\n"), csv(4, 2));
    assert_eq!(found("a.csv", "a;b;c\n1,5;2;3\n"), csv(2, 3));
    assert_eq!(found("a.csv", format!("a,{}", "b".repeat(5 << 20))), csv(1, 2));
    assert_eq!(found("a.csv", format!("a,\"{}", "b\n".repeat(1 << 20))), csv(1 << 20, 2));
    assert_eq!(found("a.csv", b"n\xe4me,b\n1,2\n"), csv(2, 2));
}

#[test]
fn json_is_valid_or_not() {
    assert_eq!(found("a.json", "{\"a\": [1, 2]}"), json(Some(JsonKind::Object)));
    assert_eq!(found("data", " [1]\n"), json(Some(JsonKind::Array)));
    assert_eq!(found("a.json", "\u{feff}null"), json(Some(JsonKind::Null)));
    assert_eq!(found("a.json", "{\"a\": "), json(None));
    assert_eq!(found("a.json", "{} {}"), json(None));
    assert_eq!(found("a.json", b"\"\xff\""), json(None));
    assert_eq!(found("a.log", "[INFO] started\n[INFO] done\n"), plain(2));
}

#[test]
fn json_nested_without_end_is_over_a_limit() {
    let seen = inspected("deep.json", "[".repeat(100_000));
    assert_eq!(seen.media_type.as_deref(), Some("application/json"));
    assert_eq!(seen.facts, None);
    assert_eq!(seen.failure.as_deref(), Some("the JSON document is nested deeper than 1000 levels"));
    assert_eq!(found("art.txt", "[".repeat(2_000)), plain(1));
}

#[test]
fn what_could_be_found_out_about_a_broken_file_is_there() {
    for (name, content, media_type) in [
        ("a.png", &b"\x89PNG\r\n\x1a\n garbage"[..], "image/png"),
        ("a.jpg", b"\xff\xd8\xff garbage", "image/jpeg"),
        ("a.zip", b"PK\x03\x04 garbage", "application/zip"),
        ("a.tgz", b"\x1f\x8b\x08 garbage", "application/gzip"),
    ] {
        let seen = inspected(name, content);
        assert_eq!(seen.state(), UploadState::Failed, "{name}");
        assert_eq!(seen.size_bytes, content.len() as u64);
        assert_eq!(seen.sha256, Some(hex::encode(Sha256::digest(content))));
        assert_eq!(seen.media_type.as_deref(), Some(media_type));
        assert_eq!(seen.facts, None);
        assert!(seen.failure.expect("a reason").contains(" is broken: "));
    }
}

#[test]
fn a_file_of_no_known_kind_is_processed() {
    assert_eq!(found("a.pdf", "%PDF-1.7\n%%EOF"), ("application/pdf".to_owned(), Facts::Other));
    assert_eq!(found("a", b"\0asm\x01\0\0\0"), ("application/wasm".to_owned(), Facts::Other));
}

#[test]
fn the_time_is_a_limit_for_all_but_the_digest() {
    let hurried = Limits { time: Duration::ZERO, ..Limits::default() };
    let pixel = hex::decode(PIXEL).expect("hex");
    for (content, media_type) in
        [(&pixel[..], "image/png"), (b"a,b\n", "text/plain"), (b"PK\x03\x04", "application/zip")]
    {
        let seen = inspect(&mut file(content), "a", &hurried).expect("a disk that works");
        assert_eq!(seen.failure.as_deref(), Some("looking into the file took longer than 0 seconds"));
        assert_eq!((seen.facts, seen.media_type.as_deref()), (None, Some(media_type)));
        assert!(seen.sha256.is_some());
    }
    let endless = Limits { time: Duration::MAX, ..Limits::default() };
    assert!(inspect(&mut file("a"), "a", &endless).is_ok());
}

#[test]
fn a_disk_that_fails_is_an_error_and_no_outcome() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut unreadable = File::create(dir.path().join("write-only")).expect("a file");
    assert!(inspect(&mut unreadable, "a", &Limits::default()).is_err());
}
