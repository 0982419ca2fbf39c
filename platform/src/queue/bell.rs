//! Wakes sleepers in every process: a Redis channel in, a watch out. Must lose nothing that a slow poll cannot repair.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::StreamExt;
use redis::{Client, Cmd, RedisError, aio::PubSub};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};

use super::link::{CONNECT_TIMEOUT, Link};

/// Least time between two messages that wake dispatchers.
const PUBLISH_EVERY: Duration = Duration::from_millis(50);
/// How often a silent subscription is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(5);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// Changes when its channel rang.
pub(super) type Bell = watch::Sender<u64>;

/// Rings, in this process.
pub(super) fn ring(bell: &Bell) {
    bell.send_modify(|rings| *rings = rings.wrapping_add(1));
}

/// Listens for ever, over every loss of the connection; messages that say `own` are this process' and ring nothing.
/// After each connect all bells ring, for what may have been missed.
pub(super) async fn listen(client: Client, bells: HashMap<String, Bell>, own: String) {
    let mut wait = FIRST_RETRY;
    loop {
        match subscribe(&client, &bells).await {
            Ok(subscription) => {
                wait = FIRST_RETRY;
                bells.values().for_each(ring);
                follow(subscription, &bells, &own).await;
                tracing::debug!("the subscription to Redis ended");
            }
            Err(error) => tracing::debug!(%error, "cannot subscribe to Redis"),
        }
        sleep(wait).await;
        wait = (wait * 2).min(LAST_RETRY);
    }
}

async fn subscribe(client: &Client, bells: &HashMap<String, Bell>) -> Result<PubSub, RedisError> {
    let opening = async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(bells.keys().collect::<Vec<_>>()).await?;
        Ok(subscription)
    };
    timeout(CONNECT_TIMEOUT, opening).await.unwrap_or_else(|late| Err(std::io::Error::from(late).into()))
}

async fn follow(subscription: PubSub, bells: &HashMap<String, Bell>, own: &str) {
    let (mut sink, mut messages) = subscription.split();
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) if message.get_payload_bytes() == own.as_bytes() => {}
                Some(message) => drop(bells.get(message.get_channel_name()).map(ring)),
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

/// Sends `message` after each notification; those that come within [`PUBLISH_EVERY`] become one.
pub(super) async fn publish(link: Arc<Link>, message: Cmd, rung: Arc<Notify>) {
    loop {
        rung.notified().await;
        let sent = link.call(async |connection| message.query_async::<i64>(connection).await).await;
        if let Err(error) = sent {
            tracing::debug!(%error, "could not wake other processes");
        }
        sleep(PUBLISH_EVERY).await;
    }
}
