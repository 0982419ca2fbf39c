//! `POST /v1/endpoints/{id}/test`: sends `hookyard.test` to one endpoint, registered for it or not.

use axum::extract::State;
use domain::{
    event::TEST_EVENT_TYPE,
    id::{EndpointId, UserId},
    problem::ProblemCode,
};
use serde_json::{json, value::to_raw_value};
use web::middleware::RequestId;

use super::events::{Receipt, not_accepted, stored};
use crate::{
    accept::{Publication, Published},
    app::App,
    auth::Publisher,
    extract::Id,
    problem::Problem,
};

/// Stores a test event for the endpoint alone. A paused or disabled one holds it.
pub(crate) async fn send(
    publisher: Publisher,
    Id(id): Id<EndpointId>,
    State(app): State<App>,
    request_id: RequestId,
) -> Result<Receipt, Problem> {
    let found = entity::endpoint::queries::find(&app.context.database, publisher.scope, id)
        .await
        .map_err(|error| Problem::unavailable("an endpoint cannot be read", error))?;
    let owner = UserId(found.ok_or_else(no_such_endpoint)?.user_id);
    match app.accept.publish(test_event(owner, id, &request_id)).await.map_err(not_accepted)? {
        Published::Stored { id, deliveries } => Ok(stored(id, deliveries)),
        // It was deleted: its row is history.
        _ => Err(no_such_endpoint()),
    }
}

fn test_event(user_id: UserId, id: EndpointId, request_id: &RequestId) -> Publication {
    let data = json!({"message": "This is a test by Hookyard.", "endpoint_id": id});
    Publication {
        user_id,
        event_type: TEST_EVENT_TYPE.to_owned(),
        data: to_raw_value(&data).expect("a JSON value is always written"),
        key: None,
        deliver_at: None,
        endpoint_ids: Some(vec![id]),
        request_id: Some(request_id.as_str().to_owned()),
    }
}

fn no_such_endpoint() -> Problem {
    Problem::new(ProblemCode::NotFound, "there is no such endpoint")
}
