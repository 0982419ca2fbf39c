//! Webhooks: one signed POST an attempt, after Standard Webhooks.
//! Must not decide about retries: it says what the answer was.

mod outcome;
mod send;
mod target;

pub use send::{WebhookRequest, WebhookSender};
pub use target::WebhookTarget;
