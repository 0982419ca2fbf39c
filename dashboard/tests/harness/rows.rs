//! Plausible rows, one function a table; callers change what they care about.

use domain::clock::Millis;
use entity::{
    attempt, dead_letter, delivery, endpoint, error_log, event, finished_delivery, lane, process, upload,
};
use sea_orm::{ActiveModelTrait, DatabaseConnection, DbErr, EntityTrait, IntoActiveModel, ModelTrait};
use uuid::Uuid;

/// An id as if it had been made at `at`.
pub fn id_at(at: Millis) -> Uuid {
    let milliseconds = u64::try_from(at.0).expect("a time of this era");
    let nanos = u32::try_from(milliseconds % 1_000).expect("below 1,000") * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, milliseconds / 1_000, nanos))
}

/// Inserts a row as it is.
pub async fn insert<Row>(db: &DatabaseConnection, row: Row) -> Result<(), DbErr>
where
    Row: ModelTrait + IntoActiveModel<<Row::Entity as EntityTrait>::ActiveModel>,
{
    let row = row.into_active_model().reset_all();
    Row::Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// An endpoint; its lane has the same id.
pub fn endpoint(url: &str, at: Millis) -> endpoint::Model {
    endpoint::Model {
        id: id_at(at),
        user_id: 1,
        url: url.to_owned(),
        description: String::new(),
        sealed_headers: None,
        custom_payload: None,
        sealed_secret: vec![1],
        timeout_ms: None,
        retry_schedule: None,
        metadata: None,
        created_at: at.0,
        updated_at: at.0,
    }
}

/// The lane of an endpoint.
pub fn lane(endpoint: &endpoint::Model) -> lane::Model {
    lane::Model {
        id: endpoint.id,
        channel: "webhook".to_owned(),
        state: "active".to_owned(),
        blocked_until: 0,
        backlog_until: 0,
        rate_limit: None,
        max_in_flight: None,
        failures: 0,
        failing_since: 0,
        succeeded_at: 0,
        breaker_until: 0,
        breaker_wait: 0,
        off_since: 0,
        off_reason: None,
        resumed_at: 0,
        drain_before: 0,
        rate_slot_us: 0,
        tell_owner: false,
    }
}

/// An event of `user`.
pub fn event(event_type: &str, body: &str, at: Millis) -> event::Model {
    event::Model {
        id: id_at(at),
        user_id: Some(1),
        event_type: event_type.to_owned(),
        body: body.as_bytes().to_vec(),
        created_at: at.0,
        addressed: false,
    }
}

/// A delivery of `event` to `endpoint`, due at once.
pub fn delivery(event: &event::Model, endpoint: &endpoint::Model) -> delivery::Model {
    delivery::Model {
        id: id_at(Millis(event.created_at)),
        event_id: event.id,
        user_id: event.user_id,
        lane_id: endpoint.id,
        channel: "webhook".to_owned(),
        recipient_id: endpoint.id,
        body: None,
        position: 0,
        attempts: 0,
        claim: 0,
        recorded_claim: 0,
        due_at: event.created_at,
        lease_until: 0,
        created_at: event.created_at,
    }
}

/// The same, finished a moment later.
pub fn finished(delivery: delivery::Model, state: &str, reason: Option<&str>) -> finished_delivery::Model {
    finished_delivery::Model {
        id: delivery.id,
        event_id: delivery.event_id,
        user_id: delivery.user_id,
        lane_id: delivery.lane_id,
        channel: delivery.channel,
        recipient_id: delivery.recipient_id,
        body: delivery.body,
        state: state.to_owned(),
        reason: reason.map(str::to_owned),
        position: delivery.position,
        attempts: delivery.attempts,
        claim: delivery.claim,
        created_at: delivery.created_at,
        finished_at: delivery.created_at + 40,
        started_at: None,
        duration_us: None,
        resolve_us: None,
        connect_us: None,
        first_byte_us: None,
        status_code: None,
        request_headers: None,
        response_headers: None,
        response_body: None,
    }
}

/// The same, after its days are no longer kept: with what was to be sent, and without its attempts.
pub fn dead_letter(delivery: delivery::Model, event: &event::Model, reason: &str) -> dead_letter::Model {
    dead_letter::Model {
        id: delivery.id,
        event_id: delivery.event_id,
        user_id: delivery.user_id,
        lane_id: delivery.lane_id,
        channel: delivery.channel,
        recipient_id: delivery.recipient_id,
        event_type: event.event_type.clone(),
        body: Some(event.body.clone()),
        reason: Some(reason.to_owned()),
        position: delivery.position,
        attempts: delivery.attempts,
        claim: delivery.claim,
        status_code: Some(503),
        error: Some("the receiver answered 503".to_owned()),
        created_at: delivery.created_at,
        finished_at: delivery.created_at + 40,
    }
}

/// An attempt that the receiver answered with `status`.
pub fn answered(delivery: Uuid, number: i32, status: i16, at: Millis) -> attempt::Model {
    let ok = (200..300).contains(&status);
    attempt::Model {
        id: id_at(at),
        delivery_id: delivery,
        number,
        claim: number,
        started_at: at.0,
        duration_us: 38_412,
        resolve_us: Some(1_204),
        connect_us: Some(9_730),
        first_byte_us: Some(36_981),
        status_code: Some(status),
        error_class: (!ok).then(|| "status".to_owned()),
        error: (!ok).then(|| format!("the receiver answered {status}")),
        request_headers: r#"{"content-type":"application/json","user-agent":"Hookyard/0.1.0","webhook-id":"01935a7e-0000-7000-8000-000000000001","webhook-timestamp":"1763805600","webhook-signature":"v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=","authorization":"Bearer super-secret-token"}"#.to_owned(),
        response_headers: Some(r#"{"content-type":"application/json","date":"Sat, 22 Nov 2026 10:00:00 GMT","server":"nginx"}"#.to_owned()),
        response_body: Some(if ok { br#"{"received":true}"#.to_vec() } else { br#"{"error":"upstream is restarting, try again"}"#.to_vec() }),
    }
}

/// An attempt that got no answer.
pub fn unanswered(delivery: Uuid, number: i32, class: &str, error: &str, at: Millis) -> attempt::Model {
    attempt::Model {
        duration_us: 5_000_213,
        connect_us: None,
        first_byte_us: None,
        status_code: None,
        error_class: Some(class.to_owned()),
        error: Some(error.to_owned()),
        response_headers: None,
        response_body: None,
        ..answered(delivery, number, 500, at)
    }
}

/// An error about a delivery.
pub fn error(
    delivery: Uuid,
    message: &str,
    attempt: i32,
    next: Option<Millis>,
    at: Millis,
) -> error_log::Model {
    error_log::Model {
        id: id_at(at),
        user_id: Some(1),
        kind: "delivery".to_owned(),
        subject_id: delivery,
        message: message.to_owned(),
        attempt: Some(attempt),
        next_retry_at: next.map(|next| next.0),
        created_at: at.0,
    }
}

/// A worker that was seen at `at`.
pub fn worker(name: &str, in_flight: i32, at: Millis) -> process::Model {
    process::Model {
        id: id_at(Millis(at.0 - 3_600_000)),
        kind: "worker".to_owned(),
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        queues: "deliveries,uploads,broadcasts".to_owned(),
        slots: 1_024,
        in_flight,
        queue_ok: true,
        started_at: at.0 - 3_600_000,
        seen_at: at.0,
    }
}

/// An upload that was processed.
pub fn upload(endpoint: &endpoint::Model, file_name: &str, at: Millis) -> upload::Model {
    upload::Model {
        id: id_at(at),
        endpoint_id: endpoint.id,
        user_id: endpoint.user_id,
        state: "processed".to_owned(),
        file_name: file_name.to_owned(),
        storage_key: "uploads/x".to_owned(),
        size_bytes: 482_113,
        sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned()),
        media_type: Some("image/png".to_owned()),
        facts: Some(r#"{"kind":"image","width":1920,"height":1080}"#.to_owned()),
        reason: None,
        event_id: None,
        attempts: 1,
        claim: 1,
        due_at: at.0,
        lease_until: 0,
        created_at: at.0,
        finished_at: Some(at.0 + 120),
    }
}
