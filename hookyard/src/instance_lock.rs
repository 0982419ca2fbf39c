//! Allows only one all-in-one process per SQLite file: it releases every lease at start, which only a sole worker may.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use anyhow::{Context as _, bail};

/// A lock held while the process runs; the system releases it when the process ends.
pub(crate) struct InstanceLock {
    _lock: File,
}

impl InstanceLock {
    /// Takes the lock beside the database file, which must exist. Symbolic links are resolved first.
    pub(crate) fn lock(database: &Path) -> anyhow::Result<Self> {
        let file =
            database.canonicalize().with_context(|| format!("{} can't be read", database.display()))?;
        let path = file.with_extension("lock");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_has_a_file_whatever_name_it_is_opened_by() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, linked) = (folder.path().join("app.db"), folder.path().join("other.db"));
        File::create(&file).expect("a file");
        std::os::unix::fs::symlink(&file, &linked).expect("a link");
        let held = InstanceLock::lock(&file).expect("the first");
        assert!(InstanceLock::lock(&linked).is_err(), "by another name");
        assert!(InstanceLock::lock(&folder.path().join("./app.db")).is_err());
        drop(held);
        assert!(InstanceLock::lock(&linked).is_ok());
    }
}
