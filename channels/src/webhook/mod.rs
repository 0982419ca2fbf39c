//! Webhooks: one signed POST per attempt, as Standard Webhooks specifies.
//! Must not decide about retries: it only reports the response.

mod outcome;
mod send;
mod target;

pub use send::{WebhookRequest, WebhookSender};
pub use target::WebhookTarget;
