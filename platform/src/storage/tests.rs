//! Objects are stored whole or not at all, and keys never leave the directory.

use std::{io::Read, time::SystemTime};

use futures_util::TryStreamExt;

use super::*;

struct Shelf {
    dir: tempfile::TempDir,
    storage: Storage,
}

impl Shelf {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let storage = Storage::local(&dir.path().join("made/if/missing")).expect("storage");
        Self { dir, storage }
    }

    async fn put(&self, key: &str, parts: &[&[u8]]) -> u64 {
        let mut incoming = self.storage.create(key).await.expect("create");
        for part in parts {
            incoming.write(Bytes::copy_from_slice(part)).await.expect("write");
        }
        incoming.finish().await.expect("finish")
    }

    async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<(u64, Vec<u8>), StorageError> {
        let (total, stream) = self.storage.read(key, range).await?;
        let parts: Vec<Bytes> = stream.try_collect().await?;
        Ok((total, parts.concat()))
    }

    /// Every file there is, by name.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut directories = vec![self.dir.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).expect("directory").map(|entry| entry.expect("entry")) {
                if entry.path().is_dir() {
                    directories.push(entry.path());
                } else {
                    found.push(entry.file_name().to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }
}

#[tokio::test]
async fn what_is_written_is_read_back_whole() {
    let shelf = Shelf::new();
    let large = vec![7; 700_000];
    assert_eq!(shelf.put("2026/11/a-1.bin", &[b"head", &large, b"tail"]).await, 700_008);
    let (total, bytes) = shelf.get("2026/11/a-1.bin", None).await.expect("read");
    assert_eq!((total, bytes.len()), (700_008, 700_008));
    assert!(bytes.starts_with(b"head\x07") && bytes.ends_with(b"\x07tail"));
    assert_eq!(shelf.files(), ["a-1.bin"]);
}

#[tokio::test]
async fn an_empty_object_is_an_object() {
    let shelf = Shelf::new();
    assert_eq!(shelf.put("empty", &[]).await, 0);
    assert_eq!(shelf.get("empty", None).await.expect("read"), (0, Vec::new()));
    let range = shelf.get("empty", Some(0..1)).await;
    assert!(matches!(range, Err(StorageError::Range { total: 0 })), "{range:?}");
}

#[tokio::test]
async fn a_range_gives_its_part_and_the_whole_size() {
    let shelf = Shelf::new();
    shelf.put("a", &[b"0123456789"]).await;
    for (range, bytes) in [(0..1, "0"), (3..6, "345"), (9..10, "9"), (8..100, "89"), (0..10, "0123456789")] {
        assert_eq!(shelf.get("a", Some(range)).await.expect("read"), (10, bytes.into()));
    }
    #[expect(clippy::reversed_empty_ranges, reason = "that is the case tested")]
    for bad in [10..11, 5..5, 6..5] {
        assert!(matches!(shelf.get("a", Some(bad)).await, Err(StorageError::Range { total: 10 })));
    }
}

#[tokio::test]
async fn an_unfinished_object_is_not_there_and_aborting_leaves_nothing() {
    let shelf = Shelf::new();
    let mut incoming = shelf.storage.create("a").await.expect("create");
    incoming.write(Bytes::from(vec![1; 600_000])).await.expect("write");
    assert_eq!(incoming.size(), 600_000);
    assert!(matches!(shelf.get("a", None).await, Err(StorageError::NotFound(key)) if key == "a"));
    assert_eq!(shelf.files().len(), 1, "the temporary file");
    incoming.abort().await.expect("abort");
    assert!(shelf.files().is_empty());
}

#[test]
fn dropping_an_unfinished_object_leaves_nothing() {
    let shelf = Shelf::new();
    // One thread for blocking work: it does what it is given in order, so the empty work ends after the removal.
    let runtime =
        tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().expect("runtime");
    runtime.block_on(async {
        let mut incoming = shelf.storage.create("a").await.expect("create");
        incoming.write(Bytes::from(vec![1; 600_000])).await.expect("write");
        assert_eq!(shelf.files(), ["a#1"]);
        drop(incoming);
        blocking(|| ()).await;
    });
    assert!(shelf.files().is_empty(), "{:?}", shelf.files());
}

#[tokio::test]
async fn a_second_object_of_a_key_replaces_the_first_only_when_it_is_finished() {
    let shelf = Shelf::new();
    shelf.put("a", &[b"first"]).await;
    let mut second = shelf.storage.create("a").await.expect("create");
    second.write(Bytes::from_static(b"second")).await.expect("write");
    assert_eq!(shelf.get("a", None).await.expect("read").1, b"first");
    second.finish().await.expect("finish");
    assert_eq!(shelf.get("a", None).await.expect("read").1, b"second");
}

#[tokio::test]
async fn deleting_is_fine_twice_and_a_missing_object_is_not_found() {
    let shelf = Shelf::new();
    shelf.put("x/a", &[b"1"]).await;
    shelf.storage.delete("x/a").await.expect("there");
    shelf.storage.delete("x/a").await.expect("gone already");
    assert!(matches!(shelf.get("x/a", None).await, Err(StorageError::NotFound(_))));
    assert!(matches!(shelf.get("x/a", Some(0..1)).await, Err(StorageError::NotFound(_))));
    assert!(matches!(shelf.storage.open_file("x/a").await, Err(StorageError::NotFound(_))));
}

#[tokio::test]
async fn an_object_opens_as_a_file() {
    let shelf = Shelf::new();
    shelf.put("x/a", &[b"content"]).await;
    let mut text = String::new();
    shelf.storage.open_file("x/a").await.expect("open").read_to_string(&mut text).expect("read");
    assert_eq!(text, "content");
}

#[tokio::test]
async fn a_key_that_is_not_ours_is_refused_everywhere() {
    let shelf = Shelf::new();
    let long = "k".repeat(KEY_MAX + 1);
    for bad in [
        "",
        "/etc/passwd",
        "../a",
        "a/../b",
        "a//b",
        "a/",
        ".",
        ".hidden",
        "a/.b",
        "a b",
        "a#1",
        "a\\b",
        "é",
        &long,
    ] {
        let refused = |error| matches!(error, Some(StorageError::BadKey(_)));
        assert!(refused(shelf.storage.create(bad).await.err()), "{bad}");
        assert!(refused(shelf.storage.delete(bad).await.err()), "{bad}");
        assert!(refused(shelf.storage.open_file(bad).await.err()), "{bad}");
        assert!(refused(shelf.storage.read(bad, None).await.err()), "{bad}");
    }
    assert_eq!(shelf.put(&"k".repeat(KEY_MAX), &[b"1"]).await, 1);
}

#[tokio::test]
async fn only_abandoned_temporary_files_are_swept() {
    let shelf = Shelf::new();
    shelf.put("x/kept", &[b"1"]).await;
    let young = shelf.storage.create("x/young").await.expect("create");
    let now = SystemTime::now();
    let long_ago = now - abandoned::ABANDONED_AFTER;
    let left = shelf.storage.root.join("x/old#1");
    let file = File::create(&left).expect("file");
    file.set_modified(long_ago - std::time::Duration::from_secs(1)).expect("older");

    assert_eq!(shelf.storage.remove_abandoned(long_ago).await.expect("sweep"), 1);
    assert_eq!(shelf.files(), ["kept", "young#1"]);
    young.finish().await.expect("finish");
    assert_eq!(shelf.storage.remove_abandoned(now + abandoned::ABANDONED_AFTER).await.expect("sweep"), 0);
    assert_eq!(shelf.files(), ["kept", "young"]);
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_with_its_path() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let blocked = dir.path().join("file");
    fs::write(&blocked, "").expect("file");
    let error = Storage::local(&blocked.join("sub")).expect_err("a file is in the way");
    assert!(error.to_string().contains("file/sub"), "{error}");
}
