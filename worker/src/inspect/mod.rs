//! Looks into a file that came in: size, digest, media type by content, and facts by kind.
//! Never holds a file in memory, never trusts what the client said, and stops at every limit of [`Limits`].

mod csv;
mod digest;
mod disk;
mod flaw;
mod image;
mod json;
mod limits;
mod sniff;
mod tar_gz;
mod text;
mod zip;
mod zip_directory;

use std::{fs::File, io};

use domain::upload::{Facts, Inspection};

use self::{
    digest::{Digest, digest},
    disk::Disk,
    flaw::Flaw,
    sniff::{Kind, Sniffed, sniff},
};

pub use self::limits::Limits;

/// Looks into `file` from its beginning. Blocks: call it where blocking is fine.
///
/// A file that is broken or over a limit is an outcome, with `failure` saying why. `Err` means that the disk failed
/// us, not that the file is bad. `file_name` only decides between kinds of text (`.csv`, `.tsv`, `.json`, plain).
/// Digest and size take one pass over the file and no limit; what follows obeys `limits`.
pub fn inspect(file: &mut File, file_name: &str, limits: &Limits) -> io::Result<Inspection> {
    let digest = digest(file)?;
    let sniffed = sniff(&digest.head);
    let mut disk = Disk::new(file, limits.time);
    let verdict = look(&mut disk, &digest, file_name, sniffed, limits);
    let outcome = disk.settle(verdict.outcome, limits.time)?;
    Ok(Inspection {
        size_bytes: digest.size_bytes,
        sha256: Some(digest.sha256),
        media_type: Some(verdict.media_type),
        facts: outcome.as_ref().ok().copied(),
        failure: outcome.err().map(|flaw| flaw.to_string()),
    })
}

/// What one kind's reader makes of the file.
struct Verdict {
    media_type: String,
    outcome: Result<Facts, Flaw>,
}

fn look(disk: &mut Disk<'_>, digest: &Digest, file_name: &str, sniffed: Sniffed, limits: &Limits) -> Verdict {
    let Sniffed { kind, media_type } = sniffed;
    let size = digest.size_bytes;
    let outcome = match kind {
        Kind::Text => return text::look(disk, file_name, &digest.head, media_type, limits),
        Kind::Image(format) => image::facts(disk, format, limits),
        Kind::Zip => zip::facts(disk, size, limits),
        Kind::Gzip => tar_gz::facts(disk, size, limits),
        Kind::Other => Ok(Facts::Other),
    };
    Verdict { media_type, outcome }
}

#[cfg(test)]
mod tests;
