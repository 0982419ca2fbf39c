use std::{
    io::{Cursor, Write},
    time::Duration,
};

use ::zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;

fn packed(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in entries {
        writer.start_file(*name, options).expect("started");
        writer.write_all(content).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

fn looked_at(content: &[u8], limits: &Limits) -> Result<Facts, Flaw> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(content).expect("written");
    facts(&mut Disk::new(&mut file, Duration::from_secs(60)), content.len() as u64, limits)
}

fn reason(content: &[u8]) -> String {
    looked_at(content, &Limits::default()).expect_err("a flaw").to_string()
}

fn find(content: &[u8], signature: &[u8; 4]) -> usize {
    content.windows(4).position(|window| window == signature).expect("the signature")
}

const TWO: &[(&str, &[u8])] = &[("a.txt", b"hello"), ("dir/b.bin", &[7; 1_000])];

#[test]
fn entries_and_their_sizes_are_counted_packed_or_stored() {
    for method in [CompressionMethod::Deflated, CompressionMethod::Stored] {
        let seen = looked_at(&packed(TWO, method), &Limits::default());
        assert_eq!(seen, Ok(Facts::Zip { entries: 2, total_size_bytes: 1_005 }));
    }
}

#[test]
fn an_empty_archive_and_directories_and_a_comment_are_fine() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.set_comment("x".repeat(u16::MAX.into())).expect("a comment that fits");
    let empty = writer.finish().expect("finished").into_inner();
    assert_eq!(looked_at(&empty, &Limits::default()), Ok(Facts::Zip { entries: 0, total_size_bytes: 0 }));

    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("dir", SimpleFileOptions::default()).expect("added");
    let directory = writer.finish().expect("finished").into_inner();
    assert_eq!(looked_at(&directory, &Limits::default()), Ok(Facts::Zip { entries: 1, total_size_bytes: 0 }));
}

/// The same archive with the numbers of its end record, and the first entry's sizes, in zip64 only.
fn as_zip64(archive: &[u8]) -> Vec<u8> {
    let (first, end) = (find(archive, b"PK\x01\x02"), find(archive, b"PK\x05\x06"));
    let mut record = archive[first..first + 46].to_vec();
    let name = archive[first + 46..first + 46 + usize::from(u16_at(&record, 28))].to_vec();
    let extra = [&[9, 0, 2, 0, 7, 7, 1, 0, 16, 0][..], &wide(&record, 24), &wide(&record, 20)].concat();
    record[20..28].fill(0xff);
    record[30..32].copy_from_slice(&(extra.len() as u16).to_le_bytes());
    let directory = [&record, &name, &extra, &archive[first + 46 + name.len()..end]].concat();
    let end64 = [
        &b"PK\x06\x06"[..],
        &[0; 28],
        &u64::from(u16_at(archive, end + 10)).to_le_bytes(),
        &(directory.len() as u64).to_le_bytes(),
        &(first as u64).to_le_bytes(),
    ];
    let end64_at = (first + directory.len()) as u64;
    let locator = [&b"PK\x06\x07\0\0\0\0"[..], &end64_at.to_le_bytes(), &[1, 0, 0, 0]];
    let mut tail = archive[end..].to_vec();
    tail[8..20].fill(0xff);
    [&archive[..first], &directory, &end64.concat(), &locator.concat(), &tail].concat()
}

fn wide(record: &[u8], at: usize) -> [u8; 8] {
    u64::from(u32_at(record, at)).to_le_bytes()
}

#[test]
fn zip64_numbers_are_read() {
    let archive = as_zip64(&packed(TWO, CompressionMethod::Deflated));
    assert_eq!(
        looked_at(&archive, &Limits::default()),
        Ok(Facts::Zip { entries: 2, total_size_bytes: 1_005 })
    );
    let mut entries = archive.clone();
    let end64 = find(&entries, b"PK\x06\x06");
    entries[end64 + 34] = 2;
    assert_eq!(looked_at(&entries, &Limits::default()), Err(Flaw::TooManyEntries(100_000)));
    let mut nowhere = archive.clone();
    let locator = find(&nowhere, b"PK\x06\x07");
    nowhere[locator + 15] = 0xff;
    assert_eq!(reason(&nowhere), "the zip archive is broken: its zip64 record lies outside of it");
}

#[test]
fn entries_are_allowed_up_to_the_limit() {
    let archive = packed(TWO, CompressionMethod::Stored);
    let limits = |archive_entries| Limits { archive_entries, ..Limits::default() };
    assert!(looked_at(&archive, &limits(2)).is_ok());
    assert_eq!(looked_at(&archive, &limits(1)), Err(Flaw::TooManyEntries(1)));

    let mut modest = archive.clone();
    let end = find(&modest, b"PK\x05\x06");
    modest[end + 10] = 1;
    assert_eq!(looked_at(&modest, &limits(1)), Err(Flaw::TooManyEntries(1)));
    assert_eq!(
        reason(&modest),
        "the zip archive is broken: it has another number of entries than it declares"
    );
}

#[test]
fn the_declared_total_is_allowed_up_to_the_limit() {
    let archive = packed(TWO, CompressionMethod::Deflated);
    let limits = |zip_total_bytes| Limits { zip_total_bytes, ..Limits::default() };
    assert!(looked_at(&archive, &limits(1_005)).is_ok());
    assert_eq!(looked_at(&archive, &limits(1_004)), Err(Flaw::TooBig(1_004)));
}

#[test]
fn a_bomb_of_zeros_is_told_by_its_ratio() {
    let bomb = packed(&[("zeros", &vec![0; 16 << 20])], CompressionMethod::Deflated);
    let limits = |ratio_free_bytes| Limits { ratio_free_bytes, ..Limits::default() };
    assert_eq!(looked_at(&bomb, &limits((16 << 20) - 1)), Err(Flaw::TooDense(1_000)));
    assert_eq!(
        looked_at(&bomb, &limits(16 << 20)),
        Ok(Facts::Zip { entries: 1, total_size_bytes: 16 << 20 })
    );
}

#[test]
fn entries_that_share_their_data_are_refused() {
    let mut archive = packed(&[("a", &[1; 500]), ("b", &[2; 500])], CompressionMethod::Stored);
    let first = find(&archive, b"PK\x01\x02");
    let second = first + 46 + 1;
    assert!(archive[second..].starts_with(b"PK\x01\x02"));
    archive[second + 42..second + 46].fill(0);
    assert_eq!(reason(&archive), "the zip archive is broken: its entries overlap");
}

#[test]
fn sizes_that_lie_are_refused() {
    let mut deflated = packed(TWO, CompressionMethod::Deflated);
    let record = find(&deflated, b"PK\x01\x02");
    deflated[record + 24] = 4;
    assert!(reason(&deflated).contains("contradicts the directory about its size"));

    let mut stored = packed(TWO, CompressionMethod::Stored);
    let record = find(&stored, b"PK\x01\x02");
    stored[record + 24] = 4;
    stored[22] = 4;
    assert!(reason(&stored).contains("contradicts the directory about its size"));

    let mut huge = packed(TWO, CompressionMethod::Deflated);
    let record = find(&huge, b"PK\x01\x02");
    huge[record + 24..record + 28].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    assert_eq!(looked_at(&huge, &Limits::default()), Err(Flaw::TooDense(1_000)));

    let mut wide = packed(TWO, CompressionMethod::Deflated);
    let record = find(&wide, b"PK\x01\x02");
    wide[record + 24..record + 28].fill(0xff);
    assert!(reason(&wide).contains("lacks its zip64 numbers"));
}

#[test]
fn an_archive_cut_anywhere_or_with_any_byte_changed_never_upsets_the_reader() {
    let archive = packed(TWO, CompressionMethod::Deflated);
    for end in 0..archive.len() {
        assert!(looked_at(&archive[..end], &Limits::default()).is_err());
    }
    for at in 0..archive.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = archive.clone();
            changed[at] = value;
            let _outcome = looked_at(&changed, &Limits::default());
        }
    }
}

#[test]
fn a_directory_that_points_nowhere_is_refused() {
    let mut archive = packed(TWO, CompressionMethod::Deflated);
    let end = find(&archive, b"PK\x05\x06");
    archive[end + 16..end + 20].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(reason(&archive).contains("its central directory lies outside of it"));
    assert_eq!(reason(b"PK\x03\x04 and no more"), "the zip archive is broken: it has no central directory");
}
