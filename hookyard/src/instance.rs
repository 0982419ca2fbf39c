//! One all-in-one process for one SQLite file: it gives every lease back at start, which only a sole worker may.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use anyhow::{Context as _, bail};

/// Held as long as the process runs; the system frees it when the process dies, however it dies.
pub(crate) struct Instance {
    _lock: File,
}

impl Instance {
    /// Takes the lock beside the database file.
    pub(crate) fn of(database: &Path) -> anyhow::Result<Self> {
        let path = database.with_extension("lock");
        let lock = File::create(&path).with_context(|| format!("{} can't be made", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another hookyard process uses {}: stop it, or give this one its own DATA_DIR",
                database.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).context("the lock can't be taken"),
        }
    }
}
