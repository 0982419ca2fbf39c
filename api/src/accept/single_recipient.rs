//! A notification to one browser alone: an event, and a delivery to that subscription beside it.
//! Makes no broadcast: no other browser gets it.

use domain::{
    delivery::Channel,
    id::{DeliveryId, LaneId, PushSubscriptionId},
    notification::Notification,
};
use entity::delivery::insert::DeliveryRow;

use super::{Event, notifications::event_of};

/// Something to tell to one subscription.
#[derive(Clone, Debug)]
pub struct NewPersonal {
    /// The event.
    pub notification: Notification,
    /// The recipient.
    pub subscription_id: PushSubscriptionId,
    /// The lane of its push service.
    pub lane_id: LaneId,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

/// It as the committer writes it.
#[derive(Clone, Debug)]
pub(super) struct Personal {
    pub(super) event: Event,
    pub(super) delivery: DeliveryRow,
}

impl From<NewPersonal> for Personal {
    fn from(new: NewPersonal) -> Self {
        let event = event_of(&new.notification, new.request_id);
        let delivery = DeliveryRow {
            id: DeliveryId::new(),
            event_id: event.id,
            user_id: None,
            lane_id: new.lane_id,
            channel: Channel::WebPush,
            recipient_id: new.subscription_id.0,
            body: None,
            due_at: None,
            // As those of broadcasts: it is claimed, since only a claim knows whether the lane rests.
            leased: false,
        };
        Self { event, delivery }
    }
}
