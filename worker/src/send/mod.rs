//! Send: one attempt of one claimed delivery, and the decision on what follows. No transaction is open meanwhile.
//! Sends run on a tracker of their own and outlive the queue's worker; each records when *it* ends.

mod ended;
mod schedules;
mod sender;
mod targets;

pub use sender::Sender;
