//! Stores uploaded files under keys that we generate. An object is either whole and durable, or absent.

mod abandoned;
mod error;
mod incoming;

use std::{
    fs::{self, File},
    io,
    ops::Range,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path as Key,
};

pub use error::StorageError;
pub use incoming::Incoming;

/// Longest key, in bytes: even as a single part it fits a file name, with room for the suffix of a temporary file.
pub const KEY_MAX: usize = 200;

/// The file storage that all processes share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Storage {
    store: Arc<LocalFileSystem>,
    root: Arc<Path>,
}

/// An object being read: its total size, and the requested bytes.
pub type Reading = (u64, BoxStream<'static, Result<Bytes, StorageError>>);

impl Storage {
    /// Opens a storage in `dir`, which is created if missing. Many processes may share it.
    ///
    /// # Errors
    /// When the directory cannot be made or opened.
    pub fn local(dir: &Path) -> Result<Self, StorageError> {
        let directory = |source| StorageError::Directory { path: dir.to_owned(), source };
        // Owner only: no other account of this machine may read uploads.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(directory)?;
        let root = fs::canonicalize(dir).map_err(directory)?;
        // `with_fsync`: file and directory are synced before an object counts as stored. Without it a power failure could
        // break the promise of a 2xx.
        let store = LocalFileSystem::new_with_prefix(&root).map_err(StorageError::Store)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), root: root.into() })
    }

    /// Begins an object, which replaces any of the same key when it is finished. Dropping it unfinished leaves no object.
    ///
    /// # Errors
    /// When the key is not one of ours or the disk refuses.
    pub async fn create(&self, key: &str) -> Result<Incoming, StorageError> {
        let upload = self.store.put_multipart(&checked(key)?).await.map_err(StorageError::Store)?;
        Ok(Incoming::new(upload))
    }

    /// Deletes an object; a missing one is no error.
    ///
    /// # Errors
    /// When the key is not one of ours or the disk refuses.
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match self.store.delete(&checked(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(StorageError::Store(error)),
        }
    }

    /// Returns the object's size and a stream of its bytes, or of those in `range`, cut off at the object's end.
    ///
    /// # Errors
    /// When there is no such object, the range is not within it, or the disk refuses.
    pub async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<Reading, StorageError> {
        let path = checked(key)?;
        let failed = |error| failure(key, error);
        if let Some(range) = &range {
            let total = self.store.head(&path).await.map_err(failed)?.size;
            if range.is_empty() || range.start >= total {
                return Err(StorageError::Range { total });
            }
        }
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(&path, options).await.map_err(failed)?;
        Ok((found.meta.size, found.into_stream().map(|part| part.map_err(StorageError::Store)).boxed()))
    }

    /// Returns the path of the object as a local file, for callers that seek in it. Read only.
    ///
    /// # Errors
    /// When there is no such object or the disk refuses.
    pub async fn open_file(&self, key: &str) -> Result<File, StorageError> {
        let path = self.store.path_to_filesystem(&checked(key)?).map_err(StorageError::Store)?;
        let opened = blocking(move || File::open(&path).map_err(|source| (path, source))).await;
        opened.map_err(|(path, source)| match source.kind() {
            io::ErrorKind::NotFound => StorageError::NotFound(key.to_owned()),
            _ => StorageError::Directory { path, source },
        })
    }
}

fn failure(key: &str, error: object_store::Error) -> StorageError {
    match error {
        object_store::Error::NotFound { .. } => StorageError::NotFound(key.to_owned()),
        other => StorageError::Store(other),
    }
}

/// Validates a key. We build keys from ids; this stops a bug elsewhere from reaching other files.
fn checked(key: &str) -> Result<Key, StorageError> {
    let bad = || StorageError::BadKey(key.to_owned());
    let part = |part: &str| {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(valid)
    };
    if key.len() > KEY_MAX || !key.split('/').all(part) {
        return Err(bad());
    }
    Key::parse(key).map_err(|_| bad())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("the work does not panic and is never cancelled")
}

#[cfg(test)]
mod tests;
