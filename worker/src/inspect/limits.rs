//! How far an inspection goes before it gives up on a file.
//! The numbers are constants of ours; only tests choose others.

use std::time::Duration;

/// Time for everything after the digest: 2 GiB of JSON, the slowest kind, take less than one minute on a slow core.
const TIME: Duration = Duration::from_secs(120);
/// Entries of one archive.
const ARCHIVE_ENTRIES: u64 = 100_000;
/// Unpacked size that a zip archive may declare. Nothing is unpacked to find out.
const ZIP_TOTAL_BYTES: u64 = 8 << 30;
/// Bytes that are unpacked of one tar.gz.
const TAR_GZ_TOTAL_BYTES: u64 = 1 << 30;
/// Unpacked bytes for one byte of the file: beyond is a bomb. DEFLATE itself ends at 1,032.
const RATIO: u64 = 1_000;
/// Unpacked size up to which the ratio does not matter: no harm is in it, and blank logs pack that well.
const RATIO_FREE_BYTES: u64 = 64 << 20;
/// Open arrays and objects at one place of a JSON document.
const JSON_DEPTH: usize = 1_000;
/// Bytes of an image that may come before its dimensions are known, and memory that finding them may take.
const IMAGE_HEADER_BYTES: u64 = 8 << 20;

/// The bounds of one inspection. `Default` is what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time for everything after the digest.
    pub time: Duration,
    /// Entries of one archive.
    pub archive_entries: u64,
    /// Unpacked size that a zip archive may declare.
    pub zip_total_bytes: u64,
    /// Bytes that are unpacked of one tar.gz.
    pub tar_gz_total_bytes: u64,
    /// Unpacked bytes for one byte of the file.
    pub ratio: u64,
    /// Unpacked size up to which `ratio` does not matter.
    pub ratio_free_bytes: u64,
    /// Open arrays and objects at one place of a JSON document.
    pub json_depth: usize,
    /// Bytes of a JPEG that are searched for its dimensions, and memory that any image's header may take.
    pub image_header_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: TIME,
            archive_entries: ARCHIVE_ENTRIES,
            zip_total_bytes: ZIP_TOTAL_BYTES,
            tar_gz_total_bytes: TAR_GZ_TOTAL_BYTES,
            ratio: RATIO,
            ratio_free_bytes: RATIO_FREE_BYTES,
            json_depth: JSON_DEPTH,
            image_header_bytes: IMAGE_HEADER_BYTES,
        }
    }
}

impl Limits {
    /// Unpacked bytes beyond which a file of `size` bytes unpacks too well to be honest.
    pub(super) fn honest_bytes(&self, size: u64) -> u64 {
        size.saturating_mul(self.ratio).max(self.ratio_free_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_may_unpack_to_64_mebibytes_and_others_to_a_thousand_times_their_size() {
        let limits = Limits::default();
        let turn = RATIO_FREE_BYTES / RATIO;
        assert_eq!(limits.honest_bytes(0), RATIO_FREE_BYTES);
        assert_eq!(limits.honest_bytes(turn), RATIO_FREE_BYTES);
        assert_eq!(limits.honest_bytes(turn + 1), (turn + 1) * RATIO);
        assert_eq!(limits.honest_bytes(u64::MAX), u64::MAX);
    }
}
