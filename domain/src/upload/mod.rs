//! Uploads: file names, inspection results, and the event for the endpoint.
//! Reads no file: callers pass an [`Inspection`].

mod event;
mod file_name;
mod inspection;

use std::{fmt, str::FromStr};

pub use event::{UPLOAD_EVENT_TYPE, UploadEvent, render_event};
pub use file_name::{FILE_NAME_BYTES, FileNameError, SafeFileName};
pub use inspection::{Facts, Inspection, JsonKind};

use crate::string_enum::string_enum;

string_enum! {
    /// The state of an upload.
    UploadState {
        /// Stored; not inspected yet.
        Received = "received",
        /// Inspected; its event was created.
        Processed = "processed",
        /// Could not be processed; its event says why.
        Failed = "failed",
    }
}
