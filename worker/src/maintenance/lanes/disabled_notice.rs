//! Notifies owners that an endpoint of theirs was disabled, by an event on their other endpoints.
//! The mark is taken off in the transaction that writes the event: the owner is notified once, also when a worker dies.

use domain::{
    clock::Millis,
    delivery::{Channel, LaneState},
    endpoint::{CustomPayload, overlay},
    event_type::ENDPOINT_DISABLED,
    id::{DeliveryId, EndpointId, EventId, UserId},
};
use entity::{
    delivery::insert::{DeliveryRow, insert_deliveries},
    event::insert::{EventRow, insert_events},
    lane::disabled_notice::{Listener, Marked, listeners, take_marked},
    stamp::Stamp,
};
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
};
use serde_json::json;

use super::BATCHES;

/// Lanes that one transaction writes events for.
const AT_ONCE: i64 = 100;

/// Writes their events; returns for how many lanes.
///
/// # Errors
/// Those of the database; those who were not notified are notified later.
pub async fn notify_owners(context: &Context) -> Result<u64, DatabaseError> {
    let mut notified = 0;
    for _ in 0..BATCHES {
        let (batch, more) = within_deadline(notify(context)).await?;
        notified += batch;
        if !more {
            break;
        }
    }
    if notified > 0 {
        context.queue.wake();
    }
    Ok(notified)
}

async fn notify(context: &Context) -> Result<(u64, bool), DatabaseError> {
    let now = context.database.now(&context.clock).await?;
    let now_or_offset = context.database.statement_time(&context.clock);
    let stamp = Stamp { now_or_offset, lease: 0 };
    let mut tx = context.database.begin().await?;
    let marked = take_marked(&mut tx, AT_ONCE).await?;
    if marked.is_empty() {
        return Ok((0, false));
    }
    let users: Vec<i64> = marked.iter().filter_map(|lane| lane.user_id).collect();
    let listeners = listeners(&mut tx, &users).await?;
    let (events, deliveries) = rows(&marked, &listeners, now);
    insert_events(&mut tx, &events, stamp).await?;
    insert_deliveries(&mut tx, &deliveries, stamp).await?;
    tx.commit().await?;
    Ok((events.len() as u64, i64::try_from(marked.len()).is_ok_and(|taken| taken >= AT_ONCE)))
}

/// An event for each lane that is still disabled, to its owner's endpoints but itself.
fn rows(marked: &[Marked], listeners: &[Listener], now: Millis) -> (Vec<EventRow>, Vec<DeliveryRow>) {
    let (mut events, mut deliveries) = (vec![], vec![]);
    for lane in marked.iter().filter(|lane| lane.state == LaneState::Disabled.as_str()) {
        let Some(user_id) = lane.user_id else { continue };
        let event = event(lane, user_id, now);
        let others =
            listeners.iter().filter(|listener| listener.user_id == user_id && listener.id != lane.id);
        deliveries.extend(others.map(|listener| delivery(&event, listener)));
        events.push(event);
    }
    (events, deliveries)
}

fn event(lane: &Marked, user_id: i64, now: Millis) -> EventRow {
    let body = json!({
        "type": ENDPOINT_DISABLED,
        "timestamp": now.rfc3339(),
        "data": {
            "endpoint_id": EndpointId::from(lane.id).to_string(),
            "url": lane.url,
            "reason": lane.off_reason,
            "disabled_at": Millis(lane.off_since).rfc3339(),
        },
    });
    let user_id = Some(UserId(user_id));
    EventRow {
        id: EventId::new(),
        user_id,
        event_type: ENDPOINT_DISABLED.to_owned(),
        body: body.to_string().into_bytes(),
        addressed: false,
    }
}

fn delivery(event: &EventRow, listener: &Listener) -> DeliveryRow {
    let payload = listener.custom_payload.as_deref().and_then(|text| text.parse::<CustomPayload>().ok());
    DeliveryRow {
        id: DeliveryId::new(),
        event_id: event.id,
        user_id: event.user_id,
        lane_id: listener.id.into(),
        channel: Channel::Webhook,
        recipient_id: listener.id,
        body: payload.and_then(|payload| overlay(&event.body, &payload).ok()),
        due_at: None,
        leased: false,
    }
}
