//! Counts what a gzipped tar archive holds, by unpacking it as a stream into nothing.
//! Stops at the limit of unpacked bytes; keeps one block of 512 bytes, whatever the archive says.

mod members;

use std::{
    fmt::Display,
    io::{self, BufReader, ErrorKind, Read, Seek},
};

use domain::upload::Facts;
use tar::Header;

use self::members::Members;
use super::{Limits, disk::Disk, flaw::Flaw};

const BLOCK_BYTES: usize = 512;
type Block = [u8; BLOCK_BYTES];
/// Where a block of a sparse file's map says whether another one follows.
const MAP_GOES_ON: usize = 504;
const CUT: &str = "it ends too early";

/// A gzip file that holds no tar archive is of no kind that we know more about.
pub(super) fn facts(disk: &mut Disk<'_>, size: u64, limits: &Limits) -> Result<Facts, Flaw> {
    disk.rewind().map_err(unreadable)?;
    let mut archive = Unpacked::new(Members::new(BufReader::with_capacity(64 << 10, disk)), size, limits);
    let mut block = [0; BLOCK_BYTES];
    match (archive.fill(&mut block).map_err(of_gzip)?, member(&block)) {
        (BLOCK_BYTES, Some(Ok(first))) => count(&mut archive, first, limits),
        _ => Ok(Facts::Other),
    }
}

fn count<R: Read>(archive: &mut Unpacked<R>, first: Member, limits: &Limits) -> Result<Facts, Flaw> {
    let (mut entries, mut total, mut next) = (0_u64, 0_u64, Some(first));
    while let Some(member) = next {
        if member.counts {
            entries += 1;
            total = total.saturating_add(member.size);
        }
        if entries > limits.archive_entries {
            return Err(Flaw::TooManyEntries(limits.archive_entries));
        }
        archive.skip(&member)?;
        next = archive.next()?;
    }
    // To the end of the stream, so that its checksum is checked and nothing hides behind the last entry.
    archive.discard(u64::MAX)?;
    Ok(Facts::TarGz { entries, total_size_bytes: total })
}

/// One header of the archive.
struct Member {
    /// Bytes that follow, without padding.
    size: u64,
    /// Whether it stands for an entry, and not for more about the next one.
    counts: bool,
    /// Whether further blocks of a sparse file's map come before the data.
    map_goes_on: bool,
}

/// `None` for a block of zeros, which ends an archive; `Some(Err)` for one that is no header.
// Sizes in PAX records are not looked at: they are for entries of 8 GiB and more, which are beyond the limit anyway.
fn member(block: &Block) -> Option<Result<Member, &'static str>> {
    if block.iter().all(|byte| *byte == 0) {
        return None;
    }
    let header = Header::from_byte_slice(block);
    let (Ok(checksum), Ok(size)) = (header.cksum(), header.entry_size()) else {
        return Some(Err("a header is damaged"));
    };
    if checksum != sum(block) {
        return Some(Err("a header does not match its checksum"));
    }
    let kind = header.entry_type();
    let about_next = kind.is_gnu_longname()
        || kind.is_gnu_longlink()
        || kind.is_pax_local_extensions()
        || kind.is_pax_global_extensions();
    let map_goes_on = kind.is_gnu_sparse() && header.as_gnu().is_some_and(|gnu| gnu.is_extended());
    Some(Ok(Member { size, counts: !about_next, map_goes_on }))
}

/// Sum of all bytes, those of the checksum itself taken as blanks.
fn sum(block: &Block) -> u32 {
    let at = |(index, byte): (usize, &u8)| {
        if (148..156).contains(&index) { 32 } else { u32::from(*byte) }
    };
    block.iter().enumerate().map(at).sum()
}

/// The unpacked stream, which ends in a flaw at the limit.
struct Unpacked<R> {
    reader: io::Take<R>,
    over: Flaw,
}

impl<R: Read> Unpacked<R> {
    fn new(reader: R, size: u64, limits: &Limits) -> Self {
        let (most, honest) = (limits.tar_gz_total_bytes, limits.honest_bytes(size));
        let over = if honest < most { Flaw::TooDense(limits.ratio) } else { Flaw::TooBig(most) };
        // One byte more than is allowed, so that reaching the limit is not yet passing it.
        Self { reader: reader.take(most.min(honest).saturating_add(1)), over }
    }

    /// The next member, or `None` at the end of the archive.
    fn next(&mut self) -> Result<Option<Member>, Flaw> {
        let mut block = [0; BLOCK_BYTES];
        match self.fill(&mut block)? {
            0 => Ok(None),
            BLOCK_BYTES => member(&block).transpose().map_err(broken),
            _ => Err(broken(CUT)),
        }
    }

    /// Reads past what belongs to `member`.
    fn skip(&mut self, member: &Member) -> Result<(), Flaw> {
        let mut map_goes_on = member.map_goes_on;
        while map_goes_on {
            let mut map = [0; BLOCK_BYTES];
            if self.fill(&mut map)? < BLOCK_BYTES {
                return Err(broken(CUT));
            }
            map_goes_on = map[MAP_GOES_ON] == 1;
        }
        let padded = member.size.checked_next_multiple_of(BLOCK_BYTES as u64).unwrap_or(u64::MAX);
        if self.discard(padded)? < padded { Err(broken(CUT)) } else { Ok(()) }
    }

    /// As much of a block as there is.
    fn fill(&mut self, block: &mut Block) -> Result<usize, Flaw> {
        let mut filled = 0;
        while filled < BLOCK_BYTES {
            match self.reader.read(&mut block[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        self.bounded().map(|()| filled)
    }

    /// Reads past `count` bytes, or as many as there are.
    fn discard(&mut self, count: u64) -> Result<u64, Flaw> {
        let gone = io::copy(&mut self.reader.by_ref().take(count), &mut io::sink()).map_err(unreadable)?;
        self.bounded().map(|()| gone)
    }

    fn bounded(&self) -> Result<(), Flaw> {
        if self.reader.limit() == 0 { Err(self.over.clone()) } else { Ok(()) }
    }
}

/// Nothing is known of an archive yet.
fn of_gzip(flaw: Flaw) -> Flaw {
    match flaw {
        Flaw::Broken { why, .. } => Flaw::broken("gzip file", why),
        other => other,
    }
}

fn broken(why: impl Display) -> Flaw {
    Flaw::broken("tar.gz archive", why)
}

/// What the decoder says, but for an end that came too early.
fn unreadable(error: io::Error) -> Flaw {
    if error.kind() == ErrorKind::UnexpectedEof { broken(CUT) } else { broken(error) }
}

#[cfg(test)]
mod tests;
