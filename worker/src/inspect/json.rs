//! Tells whether a file is one JSON document, reading it as a stream.
//! Keeps one byte for each open bracket, and refuses to keep more of them than the limit.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use domain::upload::JsonKind;
use serde::de::IgnoredAny;

use super::{disk::Disk, flaw::Flaw};

/// What the document from byte `start` on is at its top level; `None` when it is no valid JSON. Whether its strings
/// are UTF-8 is not looked at.
pub(super) fn top_level(disk: &mut Disk<'_>, start: u64, depth: usize) -> Result<Option<JsonKind>, Flaw> {
    if let Err(error) = disk.seek(SeekFrom::Start(start)) {
        return Err(Flaw::broken("JSON document", error));
    }
    let mut gauge = Gauge::new(BufReader::with_capacity(64 << 10, disk), depth);
    let valid = serde_json::from_reader::<_, IgnoredAny>(&mut gauge).is_ok();
    if gauge.too_deep {
        return Err(Flaw::TooDeep(depth));
    }
    Ok(gauge.first.filter(|_| valid).map(kind))
}

/// By the first byte of a valid document.
fn kind(first: u8) -> JsonKind {
    match first {
        b'{' => JsonKind::Object,
        b'[' => JsonKind::Array,
        b'"' => JsonKind::String,
        b't' | b'f' => JsonKind::Boolean,
        b'n' => JsonKind::Null,
        _ => JsonKind::Number,
    }
}

/// Ends the stream at the bracket that is one too many: serde_json keeps a stack of them without a bound when it
/// ignores a value. It asks for one byte at a time, so what is counted here is what it has seen.
struct Gauge<R> {
    reader: R,
    limit: usize,
    open: usize,
    first: Option<u8>,
    in_string: bool,
    escaped: bool,
    too_deep: bool,
}

impl<R> Gauge<R> {
    fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, open: 0, first: None, in_string: false, escaped: false, too_deep: false }
    }

    fn see(&mut self, byte: u8) {
        if self.first.is_none() && !byte.is_ascii_whitespace() {
            self.first = Some(byte);
        }
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = self.in_string,
            b'"' => self.in_string = !self.in_string,
            b'[' | b'{' if !self.in_string => self.open += 1,
            b']' | b'}' if !self.in_string => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.too_deep |= self.open > self.limit;
    }
}

impl<R: Read> Read for Gauge<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(bytes)?;
        bytes[..count].iter().for_each(|byte| self.see(*byte));
        if self.too_deep { Err(io::Error::other("nested too deep")) } else { Ok(count) }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, time::Duration};

    use super::*;

    fn inspected(text: impl AsRef<[u8]>, depth: usize) -> Result<Option<JsonKind>, Flaw> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text.as_ref()).expect("written");
        top_level(&mut Disk::new(&mut file, Duration::from_secs(60)), 0, depth)
    }

    #[test]
    fn each_kind_is_told_by_its_top_level() {
        for (text, kind) in [
            (" {\"a\": [1, {}]}\n", JsonKind::Object),
            ("[]", JsonKind::Array),
            ("\"x\\\"[{\\\\\"", JsonKind::String),
            ("-1.5e9", JsonKind::Number),
            ("true", JsonKind::Boolean),
            ("\t\r\nnull ", JsonKind::Null),
        ] {
            assert_eq!(inspected(text, 3), Ok(Some(kind)), "{text}");
        }
    }

    #[test]
    fn what_is_not_exactly_one_document_is_not_valid() {
        for text in ["", " ", "{", "{}{}", "[1,]", "{a:1}", "nul", "\"\n\"", "'a'", "01", "[1] x", "]"] {
            assert_eq!(inspected(text, 8), Ok(None), "{text}");
        }
    }

    #[test]
    fn nesting_is_allowed_up_to_the_limit_and_brackets_in_strings_do_not_count() {
        assert_eq!(inspected("[[{\"a\\\"[[[\":[]}]]", 4), Ok(Some(JsonKind::Array)));
        assert_eq!(inspected("[[[[]]]]", 4), Ok(Some(JsonKind::Array)));
        assert_eq!(inspected("[[[[[]]]]]", 4), Err(Flaw::TooDeep(4)));
        assert_eq!(inspected("[".repeat(100_000), 1_000), Err(Flaw::TooDeep(1_000)));
        assert_eq!(inspected("[[],[],[],[],[]]", 2), Ok(Some(JsonKind::Array)));
    }

    #[test]
    fn a_string_of_any_length_is_read_past() {
        let text = format!("{{\"a\": \"{}\"}}", "x".repeat(1 << 20));
        assert_eq!(inspected(text, 1), Ok(Some(JsonKind::Object)));
    }
}
