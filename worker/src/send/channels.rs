//! One attempt, by the channel of its delivery. Channels share the client that the guard stands before; a bot's API, whose
//! address is the operator's own, is spoken to by another.

use std::time::Duration;

use channels::{
    Bot, Guard, Outbound, PushRequest, PushTarget, SendReport, SenderOptions, TelegramRequest,
    TelegramSender, VapidKeys, WebPushSender, WebhookRequest, WebhookSender,
};
use domain::{clock::Millis, delivery::SendResult, notification::Notification};
use platform::config::Config;

use super::SenderError;
use crate::{
    claim::{Chat, Claimed, Recipient, Subscription},
    endpoints::{Endpoint, TargetError},
};

/// The channels of this process.
pub(super) struct Channels {
    webhooks: WebhookSender,
    pushes: Option<WebPushSender>,
    bot: Option<TelegramSender>,
    /// The chat that the settings name.
    chat_id: Option<String>,
}

/// How one attempt is made.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) deadline: Duration,
    pub(super) sent_at: Millis,
}

impl Channels {
    pub(super) fn new(config: &Config) -> Result<Self, SenderError> {
        let options = SenderOptions { max_idle_per_host: config.send_slots, ..SenderOptions::default() };
        let guarded = Outbound::new(Guard::new(config.allow_networks.clone()), &options)?;
        let pushes = config.vapid.as_ref().map(|vapid| {
            VapidKeys::new(vapid.private_key.expose(), &vapid.public_key, &vapid.contact)
                .map(|keys| WebPushSender::with_client(guarded.clone(), keys))
        });
        let bot = config.telegram.as_ref().map(|telegram| {
            let bot = Bot::new(telegram.bot_token.expose(), &telegram.api_url)?;
            Ok::<_, SenderError>(TelegramSender::with_client(Outbound::new(Guard::open(), &options)?, bot))
        });
        Ok(Self {
            webhooks: WebhookSender::with_client(guarded),
            pushes: pushes.transpose()?,
            bot: bot.transpose()?,
            chat_id: config.telegram.as_ref().and_then(|telegram| telegram.chat_id.clone()),
        })
    }

    pub(super) async fn attempt(&self, delivery: &Claimed, terms: Terms) -> SendReport {
        match &delivery.recipient {
            Recipient::Endpoint(endpoint) => self.call(delivery, endpoint, terms).await,
            Recipient::Subscription(subscription) => self.push(delivery, subscription, terms).await,
            Recipient::Chat(chat) => self.write(delivery, chat, terms).await,
            Recipient::Gone => TargetError::Gone.report(),
        }
    }

    async fn call(
        &self,
        delivery: &Claimed,
        endpoint: &Endpoint,
        Terms { deadline, sent_at }: Terms,
    ) -> SendReport {
        let target = match endpoint.target() {
            Ok(target) => target,
            Err(error) => return error.report(),
        };
        let (event_id, body) = (delivery.event_id(), delivery.body.clone());
        self.webhooks.send(WebhookRequest { event_id, target, body, deadline, sent_at }).await
    }

    async fn push(
        &self,
        delivery: &Claimed,
        to: &Subscription,
        Terms { deadline, sent_at }: Terms,
    ) -> SendReport {
        let Some(pushes) = &self.pushes else { return not_set("web push is not set in this worker") };
        let Some(notification) = Notification::from_event_body(&delivery.body) else {
            return SendReport::unreadable("the stored notification is damaged");
        };
        let Ok(target) = PushTarget::new(&to.endpoint, &to.p256dh, &to.auth) else {
            return SendReport::unreadable("the stored push subscription is damaged");
        };
        let event_id = delivery.event_id();
        let request =
            PushRequest { event_id, target: &target, notification: &notification, deadline, sent_at };
        pushes.send(request).await
    }

    async fn write(&self, delivery: &Claimed, to: &Chat, Terms { deadline, sent_at }: Terms) -> SendReport {
        let Some(bot) = &self.bot else { return not_set("Telegram is not set in this worker") };
        let Some(notification) = Notification::from_event_body(&delivery.body) else {
            return SendReport::unreadable("the stored notification is damaged");
        };
        let chat_id = to.subscriber.as_ref().map(|subscriber| &subscriber.chat_id).or(self.chat_id.as_ref());
        let Some(chat_id) = chat_id else { return not_set("TELEGRAM_CHAT_ID is not set in this worker") };
        let parts_sent = to.parts_sent;
        let request = TelegramRequest { chat_id, notification: &notification, parts_sent, deadline, sent_at };
        bot.send(request).await
    }
}

/// A worker that is set up wrongly must not bury what others can send: it is tried again.
fn not_set(why: &str) -> SendReport {
    SendReport { result: SendResult::Failed, ..SendReport::unreadable(why) }
}
