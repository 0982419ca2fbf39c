//! A fake push service on loopback and its browsers: answers as configured for each subscription, decrypts messages and
//! checks who signed. Knows nothing of the sender's code: it reads RFC 8188, 8291 and 8292 on its own.

mod browser;
mod vapid;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use domain::clock::Millis;
use receiver::{Answer, Call, Receiver};
use serde_json::Value;
use uuid::Uuid;

pub use browser::Browser;
pub use vapid::Claims;

/// A running push service. It stops when the last clone and the last subscription are gone.
#[derive(Clone)]
pub struct PushService {
    receiver: Receiver,
}

/// A browser's subscription. Its messages are answered with 201 until configured otherwise.
#[derive(Clone)]
pub struct Subscription {
    receiver: Receiver,
    path: String,
    browser: Arc<Browser>,
}

/// A message as it came in, and what its browser read in it.
#[derive(Clone, Debug)]
pub struct PushMessage {
    /// The request.
    pub call: Call,
    /// The decrypted payload.
    pub payload: Value,
    /// What the sender said of itself; its signature holds.
    pub claims: Claims,
    /// The public key that signed, in base64url.
    pub key: String,
}

impl PushService {
    /// Listens on a free port; addresses without a subscription get 404.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> std::io::Result<Self> {
        let receiver = Receiver::start(0).await?;
        receiver.answer_always(Answer::Status(404));
        Ok(Self { receiver })
    }

    /// `http://127.0.0.1:port`: whom signatures must be for.
    #[must_use]
    pub fn origin(&self) -> String {
        self.receiver.url("")
    }

    /// A browser's keys, for tests that answer without a push service.
    #[must_use]
    pub fn browser() -> Browser {
        Browser::new()
    }

    /// A new browser's subscription.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        let path = format!("/push/{}", Uuid::new_v4().simple());
        self.receiver.answer_at(&path, [Answer::Status(201)]);
        Subscription { receiver: self.receiver.clone(), path, browser: Arc::new(Browser::new()) }
    }

    /// How many messages came in for all subscriptions, taken or not.
    #[must_use]
    pub fn count(&self) -> usize {
        self.receiver.count()
    }

    /// Waits for so many messages, at most `within`; how many there are then.
    pub async fn wait_for(&self, messages: usize, within: Duration) -> usize {
        self.receiver.wait_for(messages, within).await;
        self.receiver.count()
    }
}

impl Subscription {
    /// The address. In a real service it is a secret.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.receiver.url(&self.path)
    }

    /// The browser's public key, 65 bytes.
    #[must_use]
    pub fn p256dh(&self) -> &[u8] {
        self.browser.public()
    }

    /// The browser's authentication secret, 16 bytes.
    #[must_use]
    pub fn auth(&self) -> &[u8] {
        self.browser.auth()
    }

    /// What `PushSubscription.toJSON()` gives: `{endpoint, keys: {p256dh, auth}}`, in base64url without padding.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let keys = serde_json::json!({"p256dh": encode(self.p256dh()), "auth": encode(self.auth())});
        serde_json::json!({"endpoint": self.endpoint(), "keys": keys})
    }

    /// What the next messages get, one each, and the last of them from then on.
    pub fn answer(&self, script: impl IntoIterator<Item = Answer>) {
        self.receiver.answer_at(&self.path, script);
    }

    /// The browser has unsubscribed: its address gets 410 from now on.
    pub fn unsubscribe(&self) {
        self.answer([Answer::Status(410)]);
    }

    /// The messages that came in for this browser so far, taken or not, oldest first.
    ///
    /// # Errors
    /// When one is not what the RFCs ask for: its headers, its encryption, its signature, or `now` is beyond its time.
    pub fn messages(&self, now: Millis) -> anyhow::Result<Vec<PushMessage>> {
        let calls = self.receiver.calls().into_iter().filter(|call| call.path == self.path);
        calls.map(|call| self.decrypt(call, now)).collect()
    }

    fn decrypt(&self, call: Call, now: Millis) -> anyhow::Result<PushMessage> {
        let header = |name| call.header(name).with_context(|| format!("there must be a header {name}"));
        ensure!(call.method == http::Method::POST, "{}", call.method);
        ensure!(header("content-encoding")? == "aes128gcm");
        header("ttl")?.parse::<u32>().context("ttl must be seconds")?;
        let (claims, key) = vapid::verify(header("authorization")?)?;
        claims.check(&self.receiver.url(""), now)?;
        let payload = serde_json::from_slice(&self.browser.decrypt(&call.body)?).context("payload")?;
        Ok(PushMessage { call, payload, claims, key })
    }
}

fn encode(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes)
}

/// 429 with `Retry-After` in seconds.
#[must_use]
pub fn slow_down(seconds: u32) -> Answer {
    let headers = vec![("retry-after".to_owned(), seconds.to_string())];
    Answer::StatusWith { status: 429, headers, body: Vec::new().into() }
}
