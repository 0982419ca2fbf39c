//! Validates a registration, field by field; all errors are reported together.

use crate::{extract::Fields, problem::Problem, routes::endpoints::validate};
use channels::guard::Guard;
use domain::{
    endpoint::{CustomHeaders, CustomPayload, EndpointUrl},
    id::{EventTypeId, UserId},
    problem::ProblemCode,
};

/// A registration that keeps the rules. Whether the event type exists is the database's to say.
pub(super) struct Registration {
    pub(super) event_type_id: EventTypeId,
    pub(super) user_id: UserId,
    pub(super) url: EndpointUrl,
    pub(super) headers: CustomHeaders,
    pub(super) payload: Option<CustomPayload>,
}

impl Registration {
    /// Reads the body. Members that are not known are ignored, as the document's service does.
    pub(super) fn read(fields: Fields, guard: &Guard) -> Result<Self, Problem> {
        let mut fields = fields.well_so_far()?;
        let event_type_id = fields.required("event_type_id", validate::event_type_id);
        let user_id = fields.required("user_id", validate::user_id);
        let url = fields.required("url", |value| validate::url(value, guard));
        let headers = fields.optional("custom_headers", validate::headers);
        let payload = fields.optional_written("custom_payload", validate::object);
        fields.done_leniently()?;
        match (event_type_id, user_id, url) {
            (Some(event_type_id), Some(user_id), Some(url)) => {
                Ok(Self { event_type_id, user_id, url, headers: headers.unwrap_or_default(), payload })
            }
            _ => Err(ProblemCode::BadRequest.into()),
        }
    }
}
