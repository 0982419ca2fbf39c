//! A Bot API on this machine, of one bot that can only `sendMessage`: it checks messages as the real one does, answers each
//! chat as it is told, and remembers what chats were told. Listens on loopback only.

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

/// The bot's token.
const TOKEN: &str = "987654:AAF-testkit_0123456789abcdefghijklm";

/// A running Bot API. Clones are the same one; it stops when the last is gone.
#[derive(Clone)]
pub struct Telegram {
    address: SocketAddr,
    log: Arc<Log>,
    _stop_on_drop: Arc<DropGuard>,
}

impl Telegram {
    /// Listens on a free port, and takes every valid message until told otherwise.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (log, stop) = (Arc::new(Log::default()), CancellationToken::new());
        tokio::spawn(serve::serve(listener, Arc::clone(&log), stop.clone()));
        Self { address, log, _stop_on_drop: Arc::new(stop.drop_guard()) }
    }

    /// What `TELEGRAM_API_URL` is set to.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What `TELEGRAM_BOT_TOKEN` is set to.
    #[must_use]
    pub const fn token(&self) -> &'static str {
        TOKEN
    }

    /// What the next valid messages to this chat get, one each; those beyond are taken.
    pub fn reply(&self, chat: &str, script: impl IntoIterator<Item = Reply>) {
        self.log.script(chat, script);
    }

    /// All calls that reached the bot with a message, valid or not, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Message> {
        self.log.calls()
    }

    /// What this chat shows: the messages that were taken, in order, without tags and escapes.
    ///
    /// # Panics
    /// Never: only what can be read is taken.
    #[must_use]
    pub fn texts(&self, chat: &str) -> Vec<String> {
        let taken = self.calls().into_iter().filter(|message| message.taken && message.chat == chat);
        taken.map(|message| html::text(&message.html).expect("checked")).collect()
    }

    /// The calls so far, as soon as there were at least `calls` of them, and after `within` in any case.
    pub async fn wait_for(&self, calls: usize, within: Duration) -> Vec<Message> {
        let mut counts = self.log.counts();
        // Late: there is what there is.
        let _ = tokio::time::timeout(within, counts.wait_for(|count| *count >= calls)).await;
        self.calls()
    }
}
