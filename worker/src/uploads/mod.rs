//! Uploads: a file that came in is inspected, and its event is written in the same transaction that finishes it.
//! Like deliveries, uploads are claimed with a lease and moved behind a fence; the lease is renewed while a file is read.

mod process;

pub use process::{UploadProcessor, uploads};
