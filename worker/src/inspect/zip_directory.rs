//! Reads a zip archive's central directory as a stream (APPNOTE 4.3.12 to 4.3.16, with zip64).
//! Own code, since readers that load the whole directory take as much memory as a hostile file wants.

use std::{
    fmt::Display,
    io::{self, BufReader, Read, Seek, SeekFrom},
};

use super::{disk::Disk, flaw::Flaw};

/// The end record without its comment, and the longest comment.
const END_BYTES: u64 = 22;
const COMMENT_BYTES: u64 = u16::MAX as u64;
/// Zip64: the locator that stands right before the end record, and what it points to.
const LOCATOR_BYTES: u64 = 20;
const END64_BYTES: u64 = 56;
/// One record of the directory without name, extra field and comment.
const RECORD_BYTES: usize = 46;
/// In place of a number that only fits in zip64.
const IN_ZIP64: u32 = u32::MAX;

/// Where the directory is and what it says of itself.
pub(super) struct Directory {
    pub(super) start: u64,
    pub(super) declared_entries: u64,
    size: u64,
    zip64: bool,
}

/// One entry, as the directory has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) offset: u64,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    /// Kept as it is, and not encrypted (which adds a few bytes).
    stored: bool,
}

impl Entry {
    /// Whether its two sizes cannot both be true.
    pub(super) fn is_lie(&self) -> bool {
        self.stored && self.packed != self.unpacked
    }
}

impl Directory {
    /// Finds the directory of an archive of `size` bytes by the record at its end.
    pub(super) fn locate(disk: &mut Disk<'_>, size: u64) -> Result<Self, Flaw> {
        let tail_start = size.saturating_sub(END_BYTES + COMMENT_BYTES);
        let tail = read(disk, tail_start, size - tail_start)?;
        let at = end_record(&tail).ok_or_else(|| broken("it has no central directory"))?;
        let (record, position) = (&tail[at..], tail_start + at as u64);
        let directory = Self {
            start: u32_at(record, 16).into(),
            declared_entries: u16_at(record, 10).into(),
            size: u32_at(record, 12).into(),
            zip64: false,
        };
        let directory = Self::locate64(disk, position)?.unwrap_or(directory);
        let end = directory.start.checked_add(directory.size);
        if end.is_none_or(|end| end > position) {
            return Err(broken("its central directory lies outside of it"));
        }
        Ok(directory)
    }

    fn locate64(disk: &mut Disk<'_>, end: u64) -> Result<Option<Self>, Flaw> {
        let Some(at) = end.checked_sub(LOCATOR_BYTES) else {
            return Ok(None);
        };
        let locator = read(disk, at, LOCATOR_BYTES)?;
        if !locator.starts_with(b"PK\x06\x07") {
            return Ok(None);
        }
        let record_at = u64_at(&locator, 8);
        if record_at > at.saturating_sub(END64_BYTES) {
            return Err(broken("its zip64 record lies outside of it"));
        }
        let record = read(disk, record_at, END64_BYTES)?;
        if !record.starts_with(b"PK\x06\x06") {
            return Err(broken("its zip64 record is not where it says"));
        }
        Ok(Some(Self {
            start: u64_at(&record, 48),
            declared_entries: u64_at(&record, 32),
            size: u64_at(&record, 40),
            zip64: true,
        }))
    }

    /// Whether `entries` is the number that was declared; without zip64 writers keep its lower 16 bits.
    pub(super) fn declares(&self, entries: u64) -> bool {
        let kept = if self.zip64 { entries } else { entries & u64::from(u16::MAX) };
        kept == self.declared_entries
    }

    /// Shows every entry to `see`, until it has enough.
    pub(super) fn walk(
        &self,
        disk: &mut Disk<'_>,
        mut see: impl FnMut(Entry) -> Result<(), Flaw>,
    ) -> Result<(), Flaw> {
        disk.seek(SeekFrom::Start(self.start)).map_err(unreadable)?;
        let mut reader = BufReader::with_capacity(64 << 10, disk).take(self.size);
        while reader.limit() > 0 {
            see(next_entry(&mut reader)?)?;
        }
        Ok(())
    }
}

/// The last end record whose comment fits behind it.
fn end_record(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(END_BYTES as usize)?;
    (0..=last).rev().find(|at| {
        let record = &tail[*at..];
        record.starts_with(b"PK\x05\x06")
            && END_BYTES as usize + usize::from(u16_at(record, 20)) <= record.len()
    })
}

fn next_entry(reader: &mut impl Read) -> Result<Entry, Flaw> {
    let mut record = [0; RECORD_BYTES];
    reader.read_exact(&mut record).map_err(unreadable)?;
    if !record.starts_with(b"PK\x01\x02") {
        return Err(broken("its central directory is damaged"));
    }
    let [name, extra, comment] = [28, 30, 32].map(|at| u16_at(&record, at));
    skip(reader, name)?;
    let mut extra = vec![0; extra.into()];
    reader.read_exact(&mut extra).map_err(unreadable)?;
    skip(reader, comment)?;
    entry(&record, &extra)
}

fn skip(reader: &mut impl Read, count: u16) -> Result<(), Flaw> {
    let skipped = io::copy(&mut reader.take(count.into()), &mut io::sink()).map_err(unreadable)?;
    if skipped == u64::from(count) { Ok(()) } else { Err(broken("its central directory is damaged")) }
}

fn entry(record: &[u8], extra: &[u8]) -> Result<Entry, Flaw> {
    let mut wide = wide_numbers(extra);
    let mut number = |at| match u32_at(record, at) {
        IN_ZIP64 => wide.next().ok_or_else(|| broken("an entry lacks its zip64 numbers")),
        number => Ok(number.into()),
    };
    // In the order in which the extra field has those that do not fit.
    let (unpacked, packed, offset) = (number(24)?, number(20)?, number(42)?);
    let (method, flags) = (u16_at(record, 10), u16_at(record, 8));
    Ok(Entry { offset, packed, unpacked, stored: method == 0 && flags & 1 == 0 })
}

/// The numbers of the zip64 part of an extra field.
fn wide_numbers(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut wide: &[u8] = &[];
    while extra.len() >= 4 {
        let (id, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let (part, rest) = extra[4..].split_at(length.min(extra.len() - 4));
        if id == 1 {
            wide = part;
            break;
        }
        extra = rest;
    }
    wide.chunks_exact(8).map(|bytes| u64_at(bytes, 0))
}

fn read(disk: &mut Disk<'_>, offset: u64, count: u64) -> Result<Vec<u8>, Flaw> {
    let mut bytes = vec![0; usize::try_from(count).map_err(broken)?];
    disk.read_at(offset, &mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes is an array of N bytes")
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

/// Describes a broken archive.
pub(super) fn broken(why: impl Display) -> Flaw {
    Flaw::broken("zip archive", why)
}

/// Describes a read error; an early end means a broken archive.
pub(super) fn unreadable(error: io::Error) -> Flaw {
    if error.kind() == io::ErrorKind::UnexpectedEof { broken("it ends too early") } else { broken(error) }
}
