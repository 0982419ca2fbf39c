//! Counts the columns of delimited text (RFC 4180 quoting), byte by byte.
//! Keeps no record: a line of any length costs no memory.

use std::io::{self, BufRead, BufReader, Seek, SeekFrom};

use super::disk::Disk;

/// What may stand between fields; the first is assumed when none is seen.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Fields of the widest record from byte `start` on.
pub(super) fn columns(disk: &mut Disk<'_>, start: u64, delimiter: u8) -> io::Result<u64> {
    disk.seek(SeekFrom::Start(start))?;
    let (mut reader, mut table) = (BufReader::with_capacity(64 << 10, disk), Table::new(delimiter));
    loop {
        let bytes = match reader.fill_buf() {
            Ok([]) => break,
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        table.feed(bytes);
        let count = bytes.len();
        reader.consume(count);
    }
    table.end_record();
    Ok(table.widest)
}

/// The delimiter that stands most often in the first record.
pub(super) fn delimiter(head: &[u8]) -> u8 {
    let width = |delimiter: &u8| {
        let mut table = Table::new(*delimiter);
        table.feed(head);
        table.end_record();
        table.first
    };
    // The last of equals wins, so the preferred one comes last.
    DELIMITERS.into_iter().rev().max_by_key(width).unwrap_or(b',')
}

/// Whether the complete lines of `head` are two records or more, all of the same width, and no prose with commas.
pub(super) fn is_table(head: &[u8]) -> bool {
    let mut table = Table::new(delimiter(head));
    let end = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    table.feed(&head[..end]);
    table.records >= 2 && table.widest >= 2 && table.widest == table.narrowest && !table.prose
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    FieldStart,
    Field,
    Quoted,
    /// Behind a quote inside of quotes: the end of them, or the first of a pair.
    Quote,
}

struct Table {
    delimiter: u8,
    place: Place,
    /// Delimiters of the record under way.
    delimiters: u64,
    begun: bool,
    records: u64,
    first: u64,
    widest: u64,
    narrowest: u64,
    /// A blank came after a delimiter, as in a sentence.
    prose: bool,
}

impl Table {
    fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            place: Place::FieldStart,
            delimiters: 0,
            begun: false,
            records: 0,
            first: 0,
            widest: 0,
            narrowest: u64::MAX,
            prose: false,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match (self.place, byte) {
                (Place::Quoted, b'"') => self.place = Place::Quote,
                (Place::Quoted, _) => {}
                (Place::Quote, b'"') => self.place = Place::Quoted,
                (_, b'\n' | b'\r') => self.end_record(),
                (place, byte) => self.in_record(place, byte),
            }
        }
    }

    fn in_record(&mut self, place: Place, byte: u8) {
        self.begun = true;
        if byte == self.delimiter {
            self.delimiters += 1;
            self.place = Place::FieldStart;
        } else {
            self.prose |= place == Place::FieldStart && self.delimiters > 0 && byte == b' ';
            let opens = place == Place::FieldStart && byte == b'"';
            self.place = if opens { Place::Quoted } else { Place::Field };
        }
    }

    /// Empty lines are no records.
    fn end_record(&mut self) {
        if self.begun {
            let width = self.delimiters + 1;
            self.first = if self.records == 0 { width } else { self.first };
            self.widest = self.widest.max(width);
            self.narrowest = self.narrowest.min(width);
            self.records += 1;
        }
        (self.begun, self.delimiters, self.place) = (false, 0, Place::FieldStart);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        let mut table = Table::new(b',');
        table.feed(text.as_bytes());
        table.end_record();
        table
    }

    #[test]
    fn quotes_hold_delimiters_line_ends_and_doubled_quotes() {
        for text in ["a,b\n1,2\n", "\"a,\n\r\n\",b\n", "\"a\"\"b,\",c", "a\"b,c\"d\r\n", "\"\",\"\"\r", ",\n"]
        {
            assert_eq!(table(text).widest, 2, "{text:?}");
        }
        assert_eq!(table("").widest, 0);
        assert_eq!(table("\n\r\n").records, 0);
        assert_eq!(table("a").widest, 1);
    }

    #[test]
    fn a_ragged_table_is_as_wide_as_its_widest_record() {
        let ragged = table("a,b,c\n1\n\n1,2,3,4\n5,6");
        assert_eq!((ragged.records, ragged.first, ragged.narrowest, ragged.widest), (4, 3, 1, 4));
    }

    #[test]
    fn the_delimiter_is_told_by_the_first_record_outside_of_quotes() {
        let told = |head: &str| char::from(delimiter(head.as_bytes()));
        assert_eq!(told("a;b;c\n1,2,3,4,5,6;7"), ';');
        assert_eq!(told("a\tb\n"), '\t');
        assert_eq!(told("\"a;b;c\nd;\",e\n"), ',');
        assert_eq!(told("a,b;c"), ',');
        assert_eq!(told(""), ',');
    }

    #[test]
    fn a_table_is_told_from_prose_and_from_source_code() {
        assert!(is_table(b"a,b\n1,2\n3,4\n5"));
        for text in ["a,b\n", "Hello, world\nHi, you\n", "a\nb\n", "a,b\n1\n", "f(a,b)\n}\n", ""] {
            assert!(!is_table(text.as_bytes()), "{text:?}");
        }
    }
}
