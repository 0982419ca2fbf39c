//! Handover: what accepts have leased and put into jobs is sent without a statement. What cannot be sent now is released.

mod intake;
mod unpack;

pub use intake::{Intake, IntakeLoop};
pub use unpack::unpack;
