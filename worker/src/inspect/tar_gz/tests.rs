use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType};

use super::*;

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("written");
    encoder.finish().expect("finished")
}

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_cksum();
    header
}

fn tar(entries: &[(&str, u64)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, size) in entries {
        let mut header = header(EntryType::Regular, *size);
        builder.append_data(&mut header, name, io::repeat(7).take(*size)).expect("appended");
    }
    builder.into_inner().expect("finished")
}

fn looked_at(content: &[u8], limits: &Limits) -> Result<Facts, Flaw> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(content).expect("written");
    facts(&mut Disk::new(&mut file, Duration::from_secs(60)), content.len() as u64, limits)
}

fn seen(tar: &[u8]) -> Result<Facts, Flaw> {
    looked_at(&gzipped(tar), &Limits::default())
}

#[test]
fn entries_and_their_sizes_are_counted() {
    let archive = tar(&[("a", 5), ("dir/b", 0), ("c", 513)]);
    assert_eq!(seen(&archive), Ok(Facts::TarGz { entries: 3, total_size_bytes: 518 }));
}

#[test]
fn long_names_and_pax_headers_are_no_entries_of_their_own() {
    let mut builder = Builder::new(Vec::new());
    builder.append_pax_extensions([("comment", "hi".as_bytes())]).expect("appended");
    let mut first = header(EntryType::Regular, 3);
    builder.append_data(&mut first, "long/".repeat(60) + "name", &b"abc"[..]).expect("appended");
    builder.append(&header(EntryType::Directory, 0), io::empty()).expect("appended");
    let archive = builder.into_inner().expect("finished");
    assert_eq!(seen(&archive), Ok(Facts::TarGz { entries: 2, total_size_bytes: 3 }));
}

#[test]
fn the_map_of_a_sparse_file_is_read_past() {
    let mut sparse = header(EntryType::GNUSparse, 512);
    sparse.as_gnu_mut().expect("a GNU header").set_is_extended(true);
    sparse.set_cksum();
    let mut map = [0; BLOCK_BYTES];
    map[MAP_GOES_ON] = 1;
    let mut archive = [*sparse.as_bytes(), map, [0; BLOCK_BYTES], [9; BLOCK_BYTES]].concat();
    archive.extend(tar(&[("a", 5)]));
    assert_eq!(seen(&archive), Ok(Facts::TarGz { entries: 2, total_size_bytes: 517 }));
}

#[test]
fn members_of_a_gzip_file_are_read_as_one_stream() {
    let archive = tar(&[("a", 5), ("b", 6)]);
    let (left, right) = archive.split_at(700);
    let file = [gzipped(left), gzipped(right)].concat();
    assert_eq!(looked_at(&file, &Limits::default()), Ok(Facts::TarGz { entries: 2, total_size_bytes: 11 }));
}

#[test]
fn zeros_after_the_last_member_are_padding() {
    let archive = tar(&[("a", 5), ("b", 6)]);
    let (left, right) = archive.split_at(700);
    for zeros in [1, 512, 200_000] {
        let file = [gzipped(left), gzipped(right), vec![0; zeros]].concat();
        let seen = looked_at(&file, &Limits::default());
        assert_eq!(seen, Ok(Facts::TarGz { entries: 2, total_size_bytes: 11 }), "{zeros}");
        let plain = [gzipped(b"hello"), vec![0; zeros]].concat();
        assert_eq!(looked_at(&plain, &Limits::default()), Ok(Facts::Other), "{zeros}");
    }
}

#[test]
fn a_gzip_file_without_an_archive_is_of_no_known_kind() {
    for content in [&b""[..], b"hello", &[0; 2_000], &[b'x'; 2_000]] {
        assert_eq!(seen(content), Ok(Facts::Other));
    }
}

#[test]
fn entries_are_allowed_up_to_the_limit() {
    let archive = gzipped(&tar(&[("a", 5), ("b", 6)]));
    let limits = |archive_entries| Limits { archive_entries, ..Limits::default() };
    assert!(looked_at(&archive, &limits(2)).is_ok());
    assert_eq!(looked_at(&archive, &limits(1)), Err(Flaw::TooManyEntries(1)));
}

#[test]
fn bytes_are_unpacked_up_to_the_limit_wherever_it_falls() {
    let archive = tar(&[("a", 5), ("b", 600)]);
    let (file, size) = (gzipped(&archive), archive.len() as u64);
    let limits = |tar_gz_total_bytes| Limits { tar_gz_total_bytes, ..Limits::default() };
    assert!(looked_at(&file, &limits(size)).is_ok());
    for most in [size - 1, 1_500, 1_024, 700, 512, 511, 0] {
        assert_eq!(looked_at(&file, &limits(most)), Err(Flaw::TooBig(most)));
    }
}

#[test]
fn an_archive_of_zeros_is_told_by_its_ratio_and_never_unpacked_to_its_end() {
    let mut archive = header(EntryType::Regular, 1 << 40).as_bytes().to_vec();
    archive.extend(vec![0; 16 << 20]);
    let file = gzipped(&archive);
    let limits = |ratio_free_bytes| Limits { ratio_free_bytes, ..Limits::default() };
    assert_eq!(looked_at(&file, &limits(1 << 20)), Err(Flaw::TooDense(1_000)));
    assert_eq!(looked_at(&file, &limits(32 << 20)), Err(broken(CUT)));
}

#[test]
fn a_long_name_of_many_bytes_is_not_kept() {
    let size = 4 << 20;
    let mut archive = header(EntryType::GNULongName, size).as_bytes().to_vec();
    archive.extend(vec![b'n'; size as usize]);
    archive.extend(tar(&[("a", 5)]));
    let free = Limits { ratio_free_bytes: 1 << 30, ..Limits::default() };
    let seen = looked_at(&gzipped(&archive), &free);
    assert_eq!(seen, Ok(Facts::TarGz { entries: 1, total_size_bytes: 5 }));
}

#[test]
fn a_broken_archive_says_what_is_wrong() {
    let archive = tar(&[("a", 5), ("b", 600)]);
    let reason = |file: &[u8]| looked_at(file, &Limits::default()).expect_err("a flaw").to_string();
    let file = gzipped(&archive);
    assert_eq!(reason(&file[..file.len() - 3]), "the tar.gz archive is broken: it ends too early");
    assert_eq!(reason(&gzipped(&archive[..1_300])), "the tar.gz archive is broken: it ends too early");
    let mut damaged = archive.clone();
    damaged[1_024] ^= 1;
    let expected = "the tar.gz archive is broken: a header does not match its checksum";
    assert_eq!(reason(&gzipped(&damaged)), expected);
    let mut checksum = file.clone();
    let crc = checksum.len() - 8;
    checksum[crc] ^= 1;
    assert!(reason(&checksum).starts_with("the tar.gz archive is broken: "));
    assert!(reason(b"\x1f\x8b\x08garbage").starts_with("the gzip file is broken: "));
    assert!(reason(&[&file[..], b"garbage"].concat()).starts_with("the tar.gz archive is broken: "));
    let huge = header(EntryType::Regular, u64::MAX);
    assert_eq!(reason(&gzipped(huge.as_bytes())), "the tar.gz archive is broken: it ends too early");
}

#[test]
fn a_file_with_any_byte_changed_never_upsets_the_reader() {
    let archive = tar(&[("a", 5)]);
    for at in 0..BLOCK_BYTES {
        for value in [0, 0x80, 0xff] {
            let mut changed = archive.clone();
            changed[at] = value;
            let _outcome = seen(&changed);
        }
    }
}
