//! Uploads: a file that came in is inspected, and its event is written in the same transaction that finishes it.
//! Like deliveries, uploads are claimed with a lease and moved behind a fence; the lease is renewed while a file is read.

mod claim;
mod finish;
mod process;

pub use claim::{ClaimedUpload, claim_next, take_over};
pub use process::{UploadProcessor, uploads};
