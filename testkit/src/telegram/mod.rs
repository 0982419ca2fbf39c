//! A fake Bot API with one bot and only `sendMessage`: validates messages like the real one, answers each chat as configured,
//! and records the messages. Listens on loopback only.

mod html;
mod log;
mod reply;
mod serve;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use log::Message;
pub use reply::Reply;

use log::Log;
use serve::TOKEN;

/// A running Bot API. Clones share it; it stops when the last one is dropped.
#[derive(Clone)]
pub struct Telegram {
    address: SocketAddr,
    log: Arc<Log>,
    _stop_on_drop: Arc<DropGuard>,
}

impl Telegram {
    /// Listens on a free port, and accepts every valid message until configured otherwise.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
        tokio::spawn(serve::serve(listener, Arc::clone(&log), stop.clone()));
        Self { address, log, _stop_on_drop: Arc::new(stop.drop_guard()) }
    }

    /// Returns the value for `TELEGRAM_API_URL`.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the value for `TELEGRAM_BOT_TOKEN`.
    #[must_use]
    pub const fn token(&self) -> &'static str {
        TOKEN
    }

    /// Scripts the replies to the next valid messages to this chat, one each; later ones are accepted.
    pub fn reply(&self, chat: &str, script: impl IntoIterator<Item = Reply>) {
        self.log.script(chat, script);
    }

    /// Returns all calls with a message, valid or not, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Message> {
        self.log.calls()
    }

    /// Returns the messages that this chat shows: the accepted ones, in order, without tags and escapes.
    ///
    /// # Panics
    /// Never: only readable messages are accepted.
    #[must_use]
    pub fn texts(&self, chat: &str) -> Vec<String> {
        let taken = self.calls().into_iter().filter(|message| message.taken && message.chat == chat);
        taken.map(|message| html::text(&message.html).expect("checked")).collect()
    }

    /// Waits until there were at least `calls` calls, at most `within`, and returns the calls so far.
    pub async fn wait_for(&self, calls: usize, within: Duration) -> Vec<Message> {
        let mut counts = self.log.counts();
        // After the timeout the caller gets the calls so far.
        let _ = tokio::time::timeout(within, counts.wait_for(|count| *count >= calls)).await;
        self.calls()
    }
}
