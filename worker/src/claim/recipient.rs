//! The recipient of a claimed delivery.

use std::{fmt, sync::Arc};

use domain::notification::CONFIGURED_CHAT;
use entity::delivery::claim::recipients::{ChatRow, SubscriptionRow};
use uuid::Uuid;

use crate::endpoints::Endpoint;

/// Who gets a delivery.
#[derive(Clone, Debug, Default)]
pub enum Recipient {
    /// An endpoint.
    Endpoint(Arc<Endpoint>),
    /// A browser.
    Subscription(Subscription),
    /// A chat.
    Chat(Chat),
    /// A recipient that has left.
    #[default]
    Gone,
}

/// Where a browser takes push messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: Uuid,
    /// The URL at its push service: who knows it may try.
    pub endpoint: String,
    /// Its public key.
    pub p256dh: Vec<u8>,
    /// Its authentication secret.
    pub auth: Vec<u8>,
    /// Whether a message has reached it before.
    pub is_reached: bool,
}

/// Which chat, and how much of the message it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// The subscriber; none: the chat that the settings name.
    pub subscriber: Option<Subscriber>,
    /// Parts that were accepted before.
    pub parts_sent: u16,
}

/// Whose chat it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Its id.
    pub id: Uuid,
    /// The chat.
    pub chat_id: String,
}

impl Recipient {
    /// The endpoint, if it is one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Endpoint(endpoint) => Some(endpoint),
            Self::Subscription(_) | Self::Chat(_) | Self::Gone => None,
        }
    }

    /// The row that stands for it, if there is one of its own.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Subscription(subscription) => Some(subscription.id),
            Self::Chat(chat) => chat.subscriber.as_ref().map(|subscriber| subscriber.id),
            Self::Endpoint(_) | Self::Gone => None,
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl From<SubscriptionRow> for Recipient {
    fn from(row: SubscriptionRow) -> Self {
        match (row.subscription_id, row.endpoint, row.p256dh, row.auth) {
            (Some(id), Some(endpoint), Some(p256dh), Some(auth)) => {
                let is_reached = row.is_reached;
                Self::Subscription(Subscription { id, endpoint, p256dh, auth, is_reached })
            }
            _ => Self::Gone,
        }
    }
}

impl From<ChatRow> for Recipient {
    fn from(row: ChatRow) -> Self {
        let parts_sent = u16::try_from(row.parts).unwrap_or(0);
        let subscriber = row.subscriber_id.zip(row.chat_id).map(|(id, chat_id)| Subscriber { id, chat_id });
        if subscriber.is_some() || row.recipient_id == CONFIGURED_CHAT {
            Self::Chat(Chat { subscriber, parts_sent })
        } else {
            Self::Gone
        }
    }
}
