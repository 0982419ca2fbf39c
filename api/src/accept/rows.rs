//! From what was accepted to the rows that are written: pure, but for fresh ids.

use domain::{
    clock::Millis,
    delivery::Channel,
    endpoint::overlay,
    id::DeliveryId,
    job::{HINT_TRUSTED, QueueName},
};
use entity::bulk::{DeliveryRow, EventRow, Stamp, UploadRow};
use platform::context::Context;
use uuid::Uuid;

use super::{
    NewEvent, NewUpload, Work,
    hinter::Hinter,
    recipients::{Recipient, Recipients},
};

/// The rows of one transaction.
pub(super) struct Rows {
    pub(super) uploads: Vec<UploadRow>,
    pub(super) events: Vec<EventRow>,
    pub(super) deliveries: Vec<DeliveryRow>,
    /// How many deliveries each entry caused, in the order of entries.
    pub(super) deliveries_of_entry: Vec<usize>,
    pub(super) stamp: Stamp,
    pub(super) request_id: Option<String>,
}

impl Rows {
    pub(super) fn of<'w>(
        works: impl Iterator<Item = &'w Work>,
        recipients: &Recipients,
        hinter: &Hinter,
        context: &Context,
    ) -> Self {
        let mut rows = Self::empty(context);
        let now = context.clock.now();
        for work in works {
            let before = rows.deliveries.len();
            match work {
                Work::Upload(upload) => rows.add_upload(upload, hinter),
                Work::Event(event) => rows.add_event(event, recipients.get(event), hinter, now),
            }
            rows.deliveries_of_entry.push(rows.deliveries.len() - before);
        }
        rows
    }

    fn empty(context: &Context) -> Self {
        let now_or_offset = context.database.statement_time(&context.clock);
        let stamp = Stamp { now_or_offset, hint_trusted: domain::clock::millis(HINT_TRUSTED) };
        Self {
            uploads: vec![],
            events: vec![],
            deliveries: vec![],
            deliveries_of_entry: vec![],
            stamp,
            request_id: None,
        }
    }

    fn add_upload(&mut self, upload: &NewUpload, hinter: &Hinter) {
        self.request_id.clone_from(&upload.request_id);
        self.uploads.push(UploadRow {
            id: upload.id,
            endpoint_id: upload.endpoint_id,
            user_id: upload.user_id,
            file_name: upload.file_name.clone(),
            storage_key: upload.storage_key.clone(),
            size_bytes: i64::try_from(upload.size_bytes).unwrap_or(i64::MAX),
            hinted: hinter.willing(),
        });
    }

    fn add_event(&mut self, event: &NewEvent, recipients: &[Recipient], hinter: &Hinter, now: Millis) {
        self.request_id.clone_from(&event.request_id);
        let body = render(event, now);
        for recipient in recipients {
            self.deliveries.push(DeliveryRow {
                id: DeliveryId::new(),
                event_id: event.id,
                user_id: Some(recipient.user_id),
                lane_id: recipient.endpoint_id.into(),
                channel: Channel::Webhook,
                recipient_id: recipient.endpoint_id.into(),
                body: recipient.custom_payload.as_ref().and_then(|payload| overlay(&body, payload).ok()),
                hinted: recipient.clear && hinter.willing(),
            });
        }
        let user_id = event.user_id;
        self.events.push(EventRow { id: event.id, user_id, event_type: event.event_type.clone(), body });
    }

    /// The ids that a hint follows for.
    pub(super) fn hinted(&self) -> [(QueueName, Vec<Uuid>); 2] {
        let deliveries = self.deliveries.iter().filter(|row| row.hinted).map(|row| row.id.0);
        let uploads = self.uploads.iter().filter(|row| row.hinted).map(|row| row.id.0);
        [(QueueName::Deliveries, deliveries.collect()), (QueueName::Uploads, uploads.collect())]
    }

    /// Whether there is work that no hint follows for.
    pub(super) fn has_unhinted(&self) -> bool {
        self.deliveries.iter().any(|row| !row.hinted) || self.uploads.iter().any(|row| !row.hinted)
    }
}

/// The body that is signed and sent: `data` byte for byte as it came.
fn render(event: &NewEvent, now: Millis) -> Vec<u8> {
    let event_type = serde_json::Value::from(event.event_type.as_str());
    format!(r#"{{"type":{event_type},"timestamp":"{now}","data":{}}}"#, event.data.get()).into_bytes()
}
