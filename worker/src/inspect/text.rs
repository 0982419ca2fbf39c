//! Looks into text: counts its lines, and decides whether it is JSON, delimited or plain.
//! Content decides first; the file's name only where the content allows several answers.

use std::io::{self, Read, Seek};

use domain::upload::{Facts, SafeFileName};

use super::{
    Limits, Verdict, csv,
    disk::Disk,
    flaw::Flaw,
    json,
    sniff::{PLAIN, UNKNOWN, has_binary},
};

const BUFFER_BYTES: usize = 64 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What `head` began and `media_type` names: text, as far as one can see from its beginning.
pub(super) fn look(
    disk: &mut Disk<'_>,
    file_name: &str,
    head: &[u8],
    media_type: String,
    limits: &Limits,
) -> Verdict {
    let tally = match tally(disk) {
        Ok(tally) => tally,
        Err(error) => {
            return Verdict { media_type, outcome: Err(Flaw::broken("text", error)) };
        }
    };
    if tally.binary {
        return verdict(UNKNOWN, Ok(Facts::Other));
    }
    if media_type == PLAIN {
        let extension = SafeFileName::from_client(file_name).map(|name| name.extension()).unwrap_or_default();
        let text = Text { head, start: start(head), extension: &extension, tally };
        if let Some(verdict) = text.as_json(disk, limits).or_else(|| text.as_csv(disk)) {
            return verdict;
        }
    }
    Verdict { media_type, outcome: Ok(Facts::Text { lines: tally.lines }) }
}

fn verdict(media_type: &str, outcome: Result<Facts, Flaw>) -> Verdict {
    Verdict { media_type: media_type.to_owned(), outcome }
}

/// Where the text begins, behind its byte order mark.
fn start(head: &[u8]) -> u64 {
    if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() as u64 } else { 0 }
}

struct Text<'a> {
    head: &'a [u8],
    start: u64,
    extension: &'a str,
    tally: Tally,
}

impl Text<'_> {
    fn body(&self) -> &[u8] {
        self.head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(self.head)
    }

    /// By content a valid object or array, by name whatever it holds.
    fn as_json(&self, disk: &mut Disk<'_>, limits: &Limits) -> Option<Verdict> {
        let named = self.extension == "json";
        if !named && !matches!(self.body().trim_ascii_start(), [b'{' | b'[', ..]) {
            return None;
        }
        let top_level =
            if self.tally.utf8 { json::top_level(disk, self.start, limits.json_depth) } else { Ok(None) };
        let outcome = top_level.map(|top_level| Facts::Json { valid: top_level.is_some(), top_level });
        let valid = matches!(outcome, Ok(Facts::Json { valid: true, .. }));
        (named || valid).then(|| verdict("application/json", outcome))
    }

    /// By name, or without one by content that looks like a table all through the head.
    fn as_csv(&self, disk: &mut Disk<'_>) -> Option<Verdict> {
        let (media_type, delimiter) = match self.extension {
            "tsv" => ("text/tab-separated-values", b'\t'),
            "csv" => ("text/csv", csv::delimiter(self.head)),
            "" if csv::is_table(self.head) => ("text/csv", csv::delimiter(self.head)),
            _ => return None,
        };
        let columns = csv::columns(disk, delimiter);
        let facts = columns.map(|columns| Facts::Csv { lines: self.tally.lines, columns });
        Some(verdict(media_type, facts.map_err(|error| Flaw::broken("text", error))))
    }
}

/// What one pass over a text counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tally {
    /// Line feeds, plus the last line when it has none.
    lines: u64,
    utf8: bool,
    /// Whether a byte stands there that no text has.
    binary: bool,
}

fn tally(disk: &mut Disk<'_>) -> io::Result<Tally> {
    disk.rewind()?;
    let mut tally = Tally { lines: 0, utf8: true, binary: false };
    let (mut buffer, mut carried, mut last) = (vec![0; BUFFER_BYTES], 0, b'\n');
    loop {
        let count = match disk.read(&mut buffer[carried..]) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let fresh = &buffer[carried..carried + count];
        tally.lines += fresh.iter().filter(|byte| **byte == b'\n').count() as u64;
        tally.binary |= has_binary(fresh);
        last = fresh[count - 1];
        carried = if tally.utf8 { carry(&mut buffer, carried + count, &mut tally.utf8) } else { 0 };
    }
    tally.utf8 &= carried == 0;
    tally.lines += u64::from(last != b'\n');
    Ok(tally)
}

/// Checks the first `end` bytes and moves the beginning of a character that their end has cut to the front.
/// Returns its length.
fn carry(buffer: &mut [u8], end: usize, utf8: &mut bool) -> usize {
    let Err(error) = std::str::from_utf8(&buffer[..end]) else {
        return 0;
    };
    if error.error_len().is_some() {
        *utf8 = false;
        return 0;
    }
    buffer.copy_within(error.valid_up_to()..end, 0);
    end - error.valid_up_to()
}

#[cfg(test)]
mod tests {
    use std::{io::Write, time::Duration};

    use super::*;

    fn tallied(content: &[u8]) -> Tally {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(content).expect("written");
        tally(&mut Disk::new(&mut file, Duration::from_secs(60))).expect("read")
    }

    #[test]
    fn the_last_line_counts_with_and_without_its_end() {
        for (content, lines) in [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("a\r\nb\r\n", 2), ("\n\n", 2)] {
            assert_eq!(tallied(content.as_bytes()).lines, lines, "{content:?}");
        }
    }

    #[test]
    fn a_character_across_two_reads_is_still_utf8_and_a_cut_one_at_the_end_is_not() {
        for shift in 0..4 {
            let mut content = vec![b'a'; BUFFER_BYTES - shift];
            content.extend("😀é\n".as_bytes());
            assert!(tallied(&content).utf8);
            content.extend(&"😀".as_bytes()[..3]);
            assert!(!tallied(&content).utf8);
        }
    }

    #[test]
    fn a_nul_far_behind_the_head_is_seen() {
        let mut content = vec![b'a'; 3 * BUFFER_BYTES];
        assert!(!tallied(&content).binary);
        content.push(0);
        assert!(tallied(&content).binary);
    }
}
