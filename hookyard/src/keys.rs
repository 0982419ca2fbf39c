//! `hookyard keys`: generates keys as settings, ready to be pasted into the environment of every process.
//! Stores nothing: the output is the only copy.

use channels::VapidKeys;
use clap::Subcommand;

use crate::terminal::say;

/// A placeholder for the operator's address.
const CONTACT: &str = "you@example.com";

/// The kind of keys.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Kind {
    /// A key pair of web push
    Vapid,
}

/// Generates and prints a key.
pub fn command(kind: Kind) {
    match kind {
        Kind::Vapid => vapid().iter().for_each(|line| say(line)),
    }
}

/// Renders the three settings of web push, under two lines on their use.
fn vapid() -> [String; 5] {
    let (private, public) = VapidKeys::generate();
    [
        "# Web push: the same three for every process. Put an address of yours in VAPID_EMAIL: push services may write to it.".to_owned(),
        "# Keep the pair: browsers that subscribed with another public key get nothing until they subscribe again.".to_owned(),
        format!("VAPID_PRIVATE_KEY={private}"),
        format!("VAPID_PUBLIC_KEY={public}"),
        format!("VAPID_EMAIL={CONTACT}"),
    ]
}
