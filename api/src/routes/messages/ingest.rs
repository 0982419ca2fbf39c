//! `POST /webhook`: a message, signed by its sender. The signature is checked over the raw bytes before anything is parsed,
//! and nothing is answered with 200 that is not durable.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::{Bytes, HttpBody},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use domain::{
    message::{BODY_BYTES, Message},
    problem::ProblemCode,
    signature::IngestSignature,
};
use http::{HeaderMap, HeaderName, header::CONTENT_TYPE};
use platform::telemetry::names;
use tokio::sync::SemaphorePermit;
use web::{
    Peer,
    middleware::{InFlight, IngestFields, RequestId},
};

use crate::{
    accept::{AcceptError, Ingested, NewMessage},
    app::App,
    error_format::DetailError,
    extract::{announced, raw_body_growing, refuse_body},
    problem::Problem,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
/// What a message never needs more of, in bytes, even with every character escaped. Strangers may send more, but only
/// so many at once: [`crate::app::Limits::large_messages`].
const SMALL_BODY: usize = 64 * 1_024;
const OK: &str = r#"{"status":"ok"}"#;

/// A message that is durable.
struct Taken {
    message_id: Arc<str>,
    became: Ingested,
}

/// Takes a message, once for its id.
pub(crate) async fn ingest(State(app): State<App>, request_id: RequestId, request: Request) -> Response {
    let taken = take(&app, &request_id, request).await;
    let fields = log_fields(&taken);
    let mut answer = match taken {
        Ok(_) => ([(CONTENT_TYPE, "application/json")], OK).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    if let Some(fields) = fields {
        metrics::counter!(names::WEBHOOK_REQUESTS, "result" => fields.result).increment(1);
        answer.extensions_mut().insert(fields);
    }
    answer
}

/// What is counted and logged. A request that ended before a verdict (too large, too slow, not stored) has no result.
fn log_fields(taken: &Result<Taken, DetailError>) -> Option<IngestFields> {
    let (message_id, result) = match taken {
        Ok(Taken { message_id, became: Ingested::Created }) => (Some(message_id), "created"),
        Ok(Taken { message_id, became: Ingested::Duplicate }) => (Some(message_id), "duplicate"),
        Err(DetailError::Signature) => (None, "invalid_signature"),
        Err(DetailError::Faults(_)) => (None, "validation_error"),
        Err(DetailError::Problem(_)) => return None,
    };
    Some(IngestFields { message_id: message_id.cloned(), dup: result == "duplicate", result })
}

async fn take(app: &App, request_id: &RequestId, request: Request) -> Result<Taken, DetailError> {
    let body = signed_body(app, request).await?;
    let message = Message::parse(&body)?;
    drop(body);
    let message_id = message.message_id.as_str().into();
    let new = NewMessage { message, request_id: Some(request_id.as_str().to_owned()) };
    let became = app.accept.message(new).await.map_err(not_accepted)?;
    Ok(Taken { message_id, became })
}

/// The body, if its signature holds.
async fn signed_body(app: &App, request: Request) -> Result<Bytes, DetailError> {
    let signature = signature(request.headers());
    let is_too_large = announced(request.headers()).is_some_and(|length| length > BODY_BYTES as u64);
    // What cannot be right need not be read.
    if signature.is_none() && !is_too_large {
        refuse_body(request);
        return Err(DetailError::Signature);
    }
    let (address, mut permit) = (Peer::address_of(&request), None);
    if request.body().size_hint().lower() > SMALL_BODY as u64 {
        let Ok(large) = LargeBodyPermit::of(app, address) else {
            refuse_body(request);
            return Err(Problem::from(ProblemCode::Overloaded).into());
        };
        permit = Some(large);
    }
    // A body of unknown length needs a permit as soon as it is large.
    let grows = |length| {
        if length > SMALL_BODY && permit.is_none() {
            permit = Some(LargeBodyPermit::of(app, address)?);
        }
        Ok(())
    };
    let body = raw_body_growing(request, BODY_BYTES, &app.limits, grows).await?;
    let key = app.ingest_key.as_ref();
    let holds = key.zip(signature).is_some_and(|(key, signature)| key.fits(&signature, &body));
    if holds { Ok(body) } else { Err(DetailError::Signature) }
}

/// The one signature that the headers carry.
fn signature(headers: &HeaderMap) -> Option<IngestSignature> {
    let mut given = headers.get_all(SIGNATURE).iter();
    let only = given.next().filter(|_| given.next().is_none())?;
    IngestSignature::parse(only.as_bytes())
}

/// Memory for a large body, until this is dropped; a small one needs none.
struct LargeBodyPermit<'a> {
    _of_all: SemaphorePermit<'a>,
    _of_address: Option<InFlight<'a>>,
}

impl<'a> LargeBodyPermit<'a> {
    /// One address gets some of the permits and never all.
    fn of(app: &'a App, address: Option<IpAddr>) -> Result<Self, ProblemCode> {
        let of_address = match address {
            Some(address) => Some(app.large_messages_of.enter(address).ok_or(ProblemCode::Overloaded)?),
            None => None,
        };
        let of_all = app.large_messages.try_acquire().map_err(|_| ProblemCode::Overloaded)?;
        Ok(Self { _of_all: of_all, _of_address: of_address })
    }
}

fn not_accepted(error: AcceptError) -> Problem {
    match error {
        AcceptError::Refused => Problem::internal("a message was refused by the database", error),
        AcceptError::Unavailable => Problem::unavailable("a message was not accepted", error),
        AcceptError::Unknown => {
            let problem = Problem::unavailable("the outcome of an accept is not known", error);
            let detail = "it is not known whether the message was stored; it is safe to send it again";
            Problem { detail: detail.into(), ..problem }
        }
    }
}
