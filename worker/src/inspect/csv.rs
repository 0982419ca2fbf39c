//! Counts the records and columns of delimited text with `csv-core` (RFC 4180 quoting).
//! Reads fields through a small fixed buffer and keeps no record: a line of any length costs no memory.

use std::io::{self, BufRead, BufReader, Seek};

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use super::disk::Disk;

/// Delimiters that are recognised; the first is the default.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Bytes of the buffer that `csv-core` copies fields to. Their content is discarded.
const FIELD_BYTES: usize = 4 << 10;

/// Returns the number of fields in the widest record of the file. A byte order mark is skipped.
pub(super) fn columns(disk: &mut Disk<'_>, delimiter: u8) -> io::Result<u64> {
    disk.rewind()?;
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
    table.finish();
    Ok(table.widest)
}

/// Returns the delimiter that occurs most often in the first record.
pub(super) fn delimiter(head: &[u8]) -> u8 {
    let width = |delimiter: &u8| {
        let mut table = Table::new(*delimiter);
        table.feed(head);
        table.finish();
        table.first
    };
    // `max_by_key` returns the last maximum, so the default comes last.
    DELIMITERS.into_iter().rev().max_by_key(width).unwrap_or(b',')
}

/// Whether the complete lines of `head` hold at least two records of the same width, and do not look like prose with commas.
pub(super) fn is_table(head: &[u8]) -> bool {
    let mut table = Table::new(delimiter(head));
    let end = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    table.feed(&head[..end]);
    table.records >= 2 && table.widest >= 2 && table.widest == table.narrowest && !table.has_prose
}

/// Widths of the records read so far.
struct Table {
    reader: Reader,
    field: Box<[u8; FIELD_BYTES]>,
    /// Fields of the record in progress.
    fields: u64,
    /// Whether the last byte was a delimiter.
    after_delimiter: bool,
    records: u64,
    first: u64,
    widest: u64,
    narrowest: u64,
    /// Whether a blank followed a delimiter, as in a sentence.
    has_prose: bool,
}

impl Table {
    fn new(delimiter: u8) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            field: Box::new([0; FIELD_BYTES]),
            fields: 0,
            after_delimiter: false,
            records: 0,
            first: 0,
            widest: 0,
            narrowest: u64::MAX,
            has_prose: false,
        }
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while let [next, ..] = bytes {
            self.has_prose |= self.after_delimiter && *next == b' ';
            let (result, read, _) = self.reader.read_field(bytes, &mut *self.field);
            self.count(&result);
            bytes = &bytes[read..];
        }
    }

    /// Ends the last record, which may have no line end.
    fn finish(&mut self) {
        // An empty input marks the end of the data for `csv-core`.
        let (result, ..) = self.reader.read_field(&[], &mut *self.field);
        self.count(&result);
    }

    fn count(&mut self, result: &ReadFieldResult) {
        self.after_delimiter = *result == ReadFieldResult::Field { record_end: false };
        if let ReadFieldResult::Field { record_end } = result {
            self.fields += 1;
            if *record_end {
                self.end_record();
            }
        }
    }

    fn end_record(&mut self) {
        self.first = if self.records == 0 { self.fields } else { self.first };
        self.widest = self.widest.max(self.fields);
        self.narrowest = self.narrowest.min(self.fields);
        self.records += 1;
        self.fields = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        let mut table = Table::new(b',');
        table.feed(text.as_bytes());
        table.finish();
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
    fn the_delimiter_is_guessed_from_the_first_record_outside_of_quotes() {
        let guess = |head: &str| char::from(delimiter(head.as_bytes()));
        assert_eq!(guess("a;b;c\n1,2,3,4,5,6;7"), ';');
        assert_eq!(guess("a\tb\n"), '\t');
        assert_eq!(guess("\"a;b;c\nd;\",e\n"), ',');
        assert_eq!(guess("a,b;c"), ',');
        assert_eq!(guess(""), ',');
    }

    #[test]
    fn a_table_is_distinguished_from_prose_and_source_code() {
        assert!(is_table(b"a,b\n1,2\n3,4\n5"));
        for text in ["a,b\n", "Hello, world\nHi, you\n", "a\nb\n", "a,b\n1\n", "f(a,b)\n}\n", ""] {
            assert!(!is_table(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn fields_longer_than_the_buffer_and_split_input_count_once() {
        let long = "x".repeat(3 * FIELD_BYTES);
        let text = format!("{long},\"{long}\n\",c\n\"a\"\"\", b\r\n");
        for size in [1, 2, 7, FIELD_BYTES, text.len()] {
            let mut table = Table::new(b',');
            text.as_bytes().chunks(size).for_each(|chunk| table.feed(chunk));
            table.finish();
            assert_eq!(
                (table.records, table.first, table.narrowest, table.has_prose),
                (2, 3, 2, true),
                "{size}"
            );
        }
    }
}
