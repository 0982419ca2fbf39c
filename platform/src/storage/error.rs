//! Errors of the storage.

use std::{io, path::PathBuf};

/// Why a file cannot be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No object has this key.
    #[error("no such file: {0}")]
    NotFound(String),
    /// A key is parts of letters, digits, `-`, `_` and `.`, joined by `/`; no part begins with a dot.
    #[error("{0:?} is not a key of ours")]
    BadKey(String),
    /// The range is empty or begins beyond the end.
    #[error("the range is not within the {total} bytes of the file")]
    Range {
        /// Size of the object.
        total: u64,
    },
    /// The directory cannot be used.
    #[error("{path}: {source}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Store(object_store::Error),
}
