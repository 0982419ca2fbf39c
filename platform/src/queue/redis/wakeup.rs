//! Signals between processes: a Redis channel in, a watch out. Best effort: a slow poll stands behind each of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use redis::{Client, RedisError, aio::PubSub};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};

use super::{
    super::Signal,
    connection::{CONNECT_TIMEOUT, Link},
};

/// Least time between two messages of one process.
const PUBLISH_EVERY: Duration = Duration::from_millis(50);
/// How often a silent subscription is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(5);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// The signals of a process. Clones share them.
#[derive(Clone)]
pub(super) struct Signals {
    inner: Arc<Inner>,
}

struct Inner {
    /// Who sends: a process ignores its own messages.
    instance: String,
    channels: [Channel; 2],
    rung: Notify,
}

struct Channel {
    signal: Signal,
    name: String,
    count: watch::Sender<u64>,
    to_publish: AtomicBool,
}

impl Signals {
    pub(super) fn new(namespace: &str, instance: String) -> Self {
        let channel = |signal, name| Channel {
            signal,
            name: format!("{namespace}:{name}"),
            count: watch::Sender::new(0),
            to_publish: AtomicBool::new(false),
        };
        let channels = [channel(Signal::Due, "due"), channel(Signal::EndpointChanged, "endpoint-changed")];
        Self { inner: Arc::new(Inner { instance, channels, rung: Notify::new() }) }
    }

    /// Counts in this process at once, and publishes soon.
    pub(super) fn send(&self, signal: Signal) {
        let channel = self.channel(signal);
        channel.ring();
        channel.to_publish.store(true, Ordering::Release);
        self.inner.rung.notify_one();
    }

    pub(super) fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        self.channel(signal).count.subscribe()
    }

    fn channel(&self, signal: Signal) -> &Channel {
        let found = self.inner.channels.iter().find(|channel| channel.signal == signal);
        found.expect("a channel was made for every signal")
    }
}

impl Channel {
    fn ring(&self) {
        self.count.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Listens over every loss of the connection. After each connect all signals ring, for what may have been missed.
pub(super) async fn listen(client: Client, signals: Signals) {
    let mut wait = FIRST_RETRY;
    loop {
        match subscribe(&client, &signals).await {
            Ok(subscription) => {
                wait = FIRST_RETRY;
                signals.inner.channels.iter().for_each(Channel::ring);
                follow(subscription, &signals).await;
                tracing::debug!("the subscription to Redis ended");
            }
            Err(error) => tracing::debug!(%error, "cannot subscribe to Redis"),
        }
        sleep(wait).await;
        wait = (wait * 2).min(LAST_RETRY);
    }
}

async fn subscribe(client: &Client, signals: &Signals) -> Result<PubSub, RedisError> {
    let names: Vec<&str> = signals.inner.channels.iter().map(|channel| channel.name.as_str()).collect();
    let opening = async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(&names).await?;
        Ok(subscription)
    };
    timeout(CONNECT_TIMEOUT, opening).await.unwrap_or_else(|late| Err(std::io::Error::from(late).into()))
}

async fn follow(subscription: PubSub, signals: &Signals) {
    let (mut sink, mut messages) = subscription.split();
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => heard(&message, signals),
                None => return,
            },
            _ = pings.tick() => {
                if !matches!(timeout(CONNECT_TIMEOUT, sink.ping::<redis::Value>()).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

fn heard(message: &redis::Msg, signals: &Signals) {
    if message.get_payload_bytes() == signals.inner.instance.as_bytes() {
        return;
    }
    let name = message.get_channel_name();
    signals.inner.channels.iter().filter(|channel| channel.name == name).for_each(Channel::ring);
}

/// Publishes what was sent; what is sent within [`PUBLISH_EVERY`] becomes one message.
pub(super) async fn publish(link: Arc<Link>, signals: Signals) {
    loop {
        signals.inner.rung.notified().await;
        for channel in &signals.inner.channels {
            if channel.to_publish.swap(false, Ordering::AcqRel) {
                let mut message = redis::cmd("PUBLISH");
                message.arg(&channel.name).arg(&signals.inner.instance);
                let sent = link.call(async |connection| message.query_async::<i64>(connection).await).await;
                if let Err(error) = sent {
                    tracing::debug!(%error, "could not wake other processes");
                }
            }
        }
        sleep(PUBLISH_EVERY).await;
    }
}
