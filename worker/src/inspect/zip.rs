//! Counts what a zip archive declares to hold, and refuses archives that contradict themselves.
//! Unpacks nothing: sizes come from the central directory and are checked against the entries' own headers.

use domain::upload::Facts;

use super::{
    Limits,
    disk::Disk,
    flaw::Flaw,
    zip_directory::{Directory, Entry, broken, u16_at, u32_at, unreadable},
};

/// Length of an entry's own header without its name and extra field.
const HEADER_BYTES: usize = 30;
/// Flags: the sizes follow the data; the header's numbers are masked.
const SIZES_FOLLOW: u16 = 1 << 3;
const MASKED: u16 = 1 << 13;
/// In place of a size: see the extra field.
const IN_EXTRA_FIELD: u32 = u32::MAX;

pub(super) fn facts(disk: &mut Disk<'_>, size: u64, limits: &Limits) -> Result<Facts, Flaw> {
    let directory = Directory::locate(disk, size)?;
    if directory.declared_entries > limits.archive_entries {
        return Err(Flaw::TooManyEntries(limits.archive_entries));
    }
    let (mut entries, mut total) = (Vec::new(), 0_u64);
    directory.walk(disk, |entry| {
        if entries.len() as u64 == limits.archive_entries {
            return Err(Flaw::TooManyEntries(limits.archive_entries));
        }
        total = total.saturating_add(entry.unpacked);
        entries.push(entry);
        bounded(total, size, limits)
    })?;
    if !directory.declares(entries.len() as u64) {
        return Err(broken("it has another number of entries than it declares"));
    }
    check_entries(disk, &mut entries, directory.start)?;
    Ok(Facts::Zip { entries: entries.len() as u64, total_size_bytes: total })
}

fn bounded(total: u64, size: u64, limits: &Limits) -> Result<(), Flaw> {
    if total > limits.zip_total_bytes {
        Err(Flaw::TooBig(limits.zip_total_bytes))
    } else if total > limits.honest_bytes(size) {
        Err(Flaw::TooDense(limits.ratio))
    } else {
        Ok(())
    }
}

/// Every entry has a header of its own that agrees with the directory, and data that no other entry shares.
fn check_entries(disk: &mut Disk<'_>, entries: &mut [Entry], directory_start: u64) -> Result<(), Flaw> {
    entries.sort_unstable_by_key(|entry| entry.offset);
    for index in 0..entries.len() {
        let limit = entries.get(index + 1).map_or(directory_start, |next| next.offset);
        if check_entry(disk, &entries[index])? > limit {
            return Err(broken("its entries overlap"));
        }
    }
    Ok(())
}

/// Where the entry's data ends.
fn check_entry(disk: &mut Disk<'_>, entry: &Entry) -> Result<u64, Flaw> {
    let mut header = [0; HEADER_BYTES];
    disk.read_at(entry.offset, &mut header).map_err(unreadable)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(broken("an entry is not where the directory says"));
    }
    let (flags, own_size) = (u16_at(&header, 6), u32_at(&header, 22));
    let hidden = flags & (SIZES_FOLLOW | MASKED) != 0 || own_size == IN_EXTRA_FIELD;
    if (!hidden && u64::from(own_size) != entry.unpacked) || entry.is_lie() {
        return Err(broken("an entry contradicts the directory about its size"));
    }
    let names = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
    Ok(entry.offset.saturating_add(HEADER_BYTES as u64 + names).saturating_add(entry.packed))
}

#[cfg(test)]
mod tests;
