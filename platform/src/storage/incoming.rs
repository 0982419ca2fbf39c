//! An object being uploaded: written to a temporary file beside its final path, durable when finished.

use bytes::Bytes;
use object_store::{MultipartUpload, PutPayload};

use super::StorageError;

/// Bytes buffered before one write, so that small network reads don't cost a thread's wake-up each.
const WRITE_AT: usize = 256 * 1024;

/// An unfinished object. Dropping it removes its temporary file on another thread; if the process ends first,
/// [`super::Storage::clean_up`] removes the file at a later start.
#[derive(Debug)]
pub struct Incoming {
    upload: Box<dyn MultipartUpload>,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    size: u64,
}

impl Incoming {
    pub(super) fn new(upload: Box<dyn MultipartUpload>) -> Self {
        Self { upload, waiting: Vec::new(), waiting_bytes: 0, size: 0 }
    }

    /// Adds bytes. After an error the object cannot be finished.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        self.size += bytes.len() as u64;
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes);
        if self.waiting_bytes >= WRITE_AT { self.flush().await } else { Ok(()) }
    }

    /// Returns the number of bytes written so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes the object durable (file and directory are synced) and visible under its key; returns its size.
    ///
    /// # Errors
    /// When the disk refuses; then nothing is left on disk.
    pub async fn finish(mut self) -> Result<u64, StorageError> {
        self.flush().await?;
        self.upload.complete().await.map_err(StorageError::Store)?;
        Ok(self.size)
    }

    /// Removes the temporary file, and returns when it is gone.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn abort(mut self) -> Result<(), StorageError> {
        self.upload.abort().await.map_err(StorageError::Store)
    }

    async fn flush(&mut self) -> Result<(), StorageError> {
        if self.waiting_bytes == 0 {
            return Ok(());
        }
        self.waiting_bytes = 0;
        let payload = PutPayload::from_iter(self.waiting.drain(..));
        self.upload.put_part(payload).await.map_err(StorageError::Store)
    }
}
