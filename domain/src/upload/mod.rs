//! What a file that came in is called, what was found out about it, and what its endpoint is told.
//! Reads no file: callers pass an [`Inspection`].

mod event;
mod file_name;
mod inspection;

use std::{fmt, str::FromStr};

pub use event::{UPLOAD_EVENT_TYPE, UploadEvent, render_event};
pub use file_name::{FILE_NAME_BYTES, FileNameError, SafeFileName};
pub use inspection::{Facts, Inspection, JsonKind};

use crate::words::words;

words! {
    /// How far an upload has come.
    UploadState {
        /// Stored; not inspected yet.
        Received = "received",
        /// Looked into; its event was made.
        Processed = "processed",
        /// Could not be processed; its event says why.
        Failed = "failed",
    }
}
