//! Signals between processes: Redis pub/sub in, a watch channel out. Best effort: a slow poll backs up each of them.

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
    connection::{CONNECT_TIMEOUT, SharedConnection},
};

/// Shortest interval between two messages of one process.
const PUBLISH_EVERY: Duration = Duration::from_millis(50);
/// Interval of liveness pings on the subscription.
const PING_EVERY: Duration = Duration::from_secs(5);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// The signals of a process. Clones share them.
#[derive(Clone)]
pub(super) struct Signals {
    inner: Arc<Inner>,
}

struct Inner {
    /// The sender of messages: a process ignores its own.
    instance: String,
    channels: [Channel; 2],
    publish_requested: Notify,
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
        Self { inner: Arc::new(Inner { instance, channels, publish_requested: Notify::new() }) }
    }

    /// Notifies this process at once, and other processes soon.
    pub(super) fn send(&self, signal: Signal) {
        let channel = self.channel(signal);
        channel.notify();
        channel.to_publish.store(true, Ordering::Release);
        self.inner.publish_requested.notify_one();
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
    fn notify(&self) {
        self.count.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Subscribes, and resubscribes after every lost connection. Each connect triggers all signals, which may have been missed.
pub(super) async fn listen(client: Client, signals: Signals) {
    let mut wait = FIRST_RETRY;
    loop {
        match subscribe(&client, &signals).await {
            Ok(subscription) => {
                wait = FIRST_RETRY;
                signals.inner.channels.iter().for_each(Channel::notify);
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
                Some(message) => notify_from_message(&message, signals),
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

fn notify_from_message(message: &redis::Msg, signals: &Signals) {
    if message.get_payload_bytes() == signals.inner.instance.as_bytes() {
        return;
    }
    let name = message.get_channel_name();
    signals.inner.channels.iter().filter(|channel| channel.name == name).for_each(Channel::notify);
}

/// Publishes signals; those sent within [`PUBLISH_EVERY`] become one message.
pub(super) async fn publish(shared: Arc<SharedConnection>, signals: Signals) {
    loop {
        signals.inner.publish_requested.notified().await;
        for channel in &signals.inner.channels {
            if channel.to_publish.swap(false, Ordering::AcqRel) {
                let mut message = redis::cmd("PUBLISH");
                message.arg(&channel.name).arg(&signals.inner.instance);
                let sent = shared.call(async |connection| message.query_async::<i64>(connection).await).await;
                if let Err(error) = sent {
                    tracing::debug!(%error, "could not wake other processes");
                }
            }
        }
        sleep(PUBLISH_EVERY).await;
    }
}
