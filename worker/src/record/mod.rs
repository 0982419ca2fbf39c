//! Record: what a send came to, and the delivery's next step, in one transaction for many deliveries.
//! A move applies only where id **and claim number** match and that claim was not recorded yet: a worker that stalled
//! past its lease can add its attempt row, never undo another's result; a record that is tried again moves nothing twice.

mod lanes;
mod recorder;
mod write;

pub use recorder::{Recorder, Records};
