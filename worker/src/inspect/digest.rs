//! One pass over the whole file: its size, its SHA-256 and its first bytes.
//! Holds one buffer, whatever the size.

use std::{
    fs::File,
    io::{self, Read, Seek},
};

use sha2::{Digest as _, Sha256};

/// First bytes that determine the media type; office documents inside a zip are recognised within these.
const HEAD_BYTES: usize = 16 << 10;
const BUFFER_BYTES: usize = 64 << 10;

pub(super) struct Digest {
    pub(super) size_bytes: u64,
    /// Lowercase hex.
    pub(super) sha256: String,
    /// At most `HEAD_BYTES`.
    pub(super) head: Vec<u8>,
}

pub(super) fn digest(file: &mut File) -> io::Result<Digest> {
    file.rewind()?;
    let (mut size_bytes, mut sha256, mut head) = (0, Sha256::new(), Vec::with_capacity(HEAD_BYTES));
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let bytes = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => &buffer[..count],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        size_bytes += bytes.len() as u64;
        sha256.update(bytes);
        head.extend_from_slice(&bytes[..bytes.len().min(HEAD_BYTES - head.len())]);
    }
    file.rewind()?;
    Ok(Digest { size_bytes, sha256: hex::encode(sha256.finalize()), head })
}
