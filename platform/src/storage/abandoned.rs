//! Removes temporary files of uploads that a crash interrupted. Never touches a finished object: keys contain no `#`.

use std::{
    fs, io,
    ops::Range,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{Storage, StorageError, blocking};
use crate::supervisor::Service;

/// A temporary file without a write for this long is abandoned.
pub(super) const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 3_600);

impl Storage {
    /// Removes temporary files last written to before `before`, and returns how many.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn remove_abandoned(&self, before: SystemTime) -> Result<usize, StorageError> {
        let root = self.root.clone();
        let removed = blocking(move || sweep(&root, before)).await;
        removed.map_err(|source| StorageError::Directory { path: self.root.to_path_buf(), source })
    }

    /// Lists finished objects directly under `folder` that were last written within `written`, at most `limit` names.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn written_within(
        &self,
        folder: &'static str,
        written: Range<SystemTime>,
        limit: usize,
    ) -> Result<Vec<String>, StorageError> {
        let path = self.root.join(folder);
        let listed = path.clone();
        let found = blocking(move || list(&listed, &written, limit)).await;
        found.map_err(|source| StorageError::Directory { path, source })
    }

    /// Returns a service that removes abandoned files once, at start, after `ABANDONED_AFTER`; failures are only logged.
    #[must_use]
    pub fn clean_up(&self) -> Service {
        let storage = self.clone();
        Service::new("storage-clean-up", |stop| async move {
            let before = SystemTime::now() - ABANDONED_AFTER;
            match stop.run_until_cancelled(storage.remove_abandoned(before)).await {
                Some(Ok(0)) | None => {}
                Some(Ok(removed)) => tracing::info!(removed, "removed abandoned uploads"),
                Some(Err(error)) => tracing::warn!(%error, "could not remove abandoned uploads"),
            }
            Ok(())
        })
    }
}

fn sweep(root: &Path, before: SystemTime) -> io::Result<usize> {
    let mut directories = vec![root.to_owned()];
    let mut removed = 0;
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                directories.push(entry.path());
            } else if entry.file_name().as_encoded_bytes().contains(&b'#') {
                removed += usize::from(remove_if_older(&entry, before)?);
            }
        }
    }
    Ok(removed)
}

fn list(folder: &Path, written: &Range<SystemTime>, limit: usize) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        entries => entries?,
    };
    let written_then = |entry: &fs::DirEntry| {
        let modified = entry.metadata().and_then(|found| found.modified());
        modified.is_ok_and(|at| written.contains(&at))
    };
    let names = entries
        .filter_map(Result::ok)
        .filter(written_then)
        .filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter(|name| !name.contains('#')).take(limit).collect())
}

fn remove_if_older(entry: &fs::DirEntry, before: SystemTime) -> io::Result<bool> {
    let gone = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound { Ok(false) } else { Err(error) }
    };
    match entry.metadata().and_then(|found| found.modified()) {
        Ok(written) if written < before => fs::remove_file(entry.path()).map(|()| true).or_else(gone),
        Ok(_) => Ok(false),
        Err(error) => gone(error),
    }
}
