//! Tells owners that an endpoint of theirs was disabled, by an event on their other endpoints.
//! The mark is taken off in the transaction that writes the event: the owner is notified once, also when a worker dies.

use domain::{
    clock::Millis,
    delivery::{Channel, LaneState},
    endpoint::{CustomPayload, overlay},
    event_type::ENDPOINT_DISABLED,
    id::{DeliveryId, EndpointId, EventId, UserId},
};
use entity::bulk::{DeliveryRow, EventRow, Stamp, postgres, sqlite, sqlite::push_list};
use platform::{
    context::Context,
    database::{DatabaseError, Tx, within_deadline},
};
use serde_json::json;
use sqlx::{QueryBuilder, Result, Sqlite};
use uuid::Uuid;

use super::BATCHES;

/// The type of the event.
/// Lanes that one transaction tells of.
const AT_ONCE: i64 = 100;

macro_rules! marked {
    ($lock:literal) => {
        concat!(
            "SELECT l.id, l.state, l.off_reason, l.off_since, e.user_id, e.url
            FROM lane l LEFT JOIN endpoint e ON e.id = l.id WHERE l.tell_owner ORDER BY l.id LIMIT $1",
            $lock
        )
    };
}

macro_rules! listeners {
    ($of:literal) => {
        concat!(
            "SELECT e.id, e.user_id, e.custom_payload
            FROM event_type t JOIN endpoint_event_type r ON r.event_type_id = t.id
            JOIN endpoint e ON e.id = r.endpoint_id JOIN lane l ON l.id = e.id
            WHERE t.name = 'endpoint.disabled' AND l.state <> 'deleted' AND e.user_id ",
            $of
        )
    };
}

#[derive(sqlx::FromRow)]
struct Marked {
    id: Uuid,
    state: String,
    off_reason: Option<String>,
    off_since: i64,
    user_id: Option<i64>,
    url: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Listener {
    id: Uuid,
    user_id: i64,
    custom_payload: Option<String>,
}

/// Writes their events; returns of how many lanes was told.
///
/// # Errors
/// Those of the database; who was not told is told later.
pub async fn notify_owners(context: &Context) -> Result<u64, DatabaseError> {
    let mut told = 0;
    for _ in 0..BATCHES {
        let (batch, more) = within_deadline(tell(context)).await?;
        told += batch;
        if !more {
            break;
        }
    }
    if told > 0 {
        context.queue.wake();
    }
    Ok(told)
}

async fn tell(context: &Context) -> Result<(u64, bool), DatabaseError> {
    let now = context.database.now(&context.clock).await?;
    let now_or_offset = context.database.statement_time(&context.clock);
    let stamp = Stamp { now_or_offset, lease: 0 };
    let mut tx = context.database.begin().await?;
    let marked = take(&mut tx).await?;
    if marked.is_empty() {
        return Ok((0, false));
    }
    let listeners = listeners(&mut tx, &marked).await?;
    let (events, deliveries) = rows(&marked, &listeners, now);
    match &mut tx {
        Tx::Postgres(tx) => {
            postgres::insert_events(tx, &events, stamp).await?;
            postgres::insert_deliveries(tx, &deliveries, stamp).await?;
        }
        Tx::Sqlite(tx) => {
            sqlite::insert_events(tx, &events, stamp).await?;
            sqlite::insert_deliveries(tx, &deliveries, stamp).await?;
        }
    }
    tx.commit().await?;
    Ok((events.len() as u64, i64::try_from(marked.len()).is_ok_and(|taken| taken >= AT_ONCE)))
}

/// Locks marked lanes and takes their marks off.
async fn take(tx: &mut Tx) -> Result<Vec<Marked>> {
    match tx {
        Tx::Postgres(tx) => {
            let marked: Vec<Marked> = sqlx::query_as(marked!(" FOR NO KEY UPDATE OF l SKIP LOCKED"))
                .bind(AT_ONCE)
                .fetch_all(&mut **tx)
                .await?;
            let ids: Vec<Uuid> = marked.iter().map(|lane| lane.id).collect();
            let unmark = sqlx::query("UPDATE lane SET tell_owner = false WHERE id = ANY($1)").bind(ids);
            unmark.execute(&mut **tx).await?;
            Ok(marked)
        }
        Tx::Sqlite(tx) => {
            let marked: Vec<Marked> = sqlx::query_as(marked!("")).bind(AT_ONCE).fetch_all(&mut **tx).await?;
            let ids: Vec<Uuid> = marked.iter().map(|lane| lane.id).collect();
            let mut unmark = QueryBuilder::<Sqlite>::new("UPDATE lane SET tell_owner = 0 WHERE id IN ");
            push_list(&mut unmark, &ids);
            unmark.build().execute(&mut **tx).await?;
            Ok(marked)
        }
    }
}

async fn listeners(tx: &mut Tx, marked: &[Marked]) -> Result<Vec<Listener>> {
    let users: Vec<i64> = marked.iter().filter_map(|lane| lane.user_id).collect();
    if users.is_empty() {
        return Ok(vec![]);
    }
    match tx {
        Tx::Postgres(tx) => sqlx::query_as(listeners!("= ANY($1)")).bind(users).fetch_all(&mut **tx).await,
        Tx::Sqlite(tx) => {
            let mut query = QueryBuilder::<Sqlite>::new(listeners!("IN ("));
            let mut list = query.separated(", ");
            for user in users {
                list.push_bind(user);
            }
            query.push(")");
            query.build_query_as().fetch_all(&mut **tx).await
        }
    }
}

/// An event for each lane that is still disabled, to its owner's endpoints but itself.
fn rows(marked: &[Marked], listeners: &[Listener], now: Millis) -> (Vec<EventRow>, Vec<DeliveryRow>) {
    let (mut events, mut deliveries) = (vec![], vec![]);
    for lane in marked.iter().filter(|lane| lane.state == LaneState::Disabled.as_str()) {
        let Some(user_id) = lane.user_id else { continue };
        let event = event(lane, user_id, now);
        let told = listeners.iter().filter(|listener| listener.user_id == user_id && listener.id != lane.id);
        deliveries.extend(told.map(|listener| delivery(&event, listener)));
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
