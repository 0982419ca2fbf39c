//! Validates a publication, member by member; all errors are reported together.

use std::collections::HashSet;

use domain::{
    clock::Millis,
    event::{IdempotencyKey, MAX_DELIVER_AHEAD, MAX_NAMED_ENDPOINTS, check_data, is_system_event_type},
    event_type::EventTypeName,
    id::{EndpointId, UserId},
    problem::ProblemCode,
};
use entity::scope::Scope;
use http::{HeaderMap, HeaderName};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use web::middleware::RequestId;

use super::members::{Members, items};
use crate::{
    accept::{Key, Publication},
    problem::Problem,
};

const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// An event that keeps the rules. Whether its type and its endpoints exist is the database's to say.
pub(super) struct Wanted {
    user_id: Option<UserId>,
    event_type: String,
    data: Box<RawValue>,
    key: Option<IdempotencyKey>,
    deliver_at: Option<Millis>,
    endpoint_ids: Option<Vec<EndpointId>>,
}

/// What the `Idempotency-Key` header says; an error is its fault.
pub(super) type KeyHeader = Result<Option<String>, &'static str>;

/// The key that the headers carry. It is taken as it is written, quotes and all.
pub(super) fn key_header(headers: &HeaderMap) -> KeyHeader {
    let mut given = headers.get_all(KEY_HEADER).iter();
    let Some(value) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err("is given twice in the headers");
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| "is not UTF-8")?;
    Ok(Some(text.to_owned()))
}

/// A body as JSON that has not been parsed further.
pub(super) fn json(body: &[u8]) -> Result<&RawValue, Problem> {
    serde_json::from_slice(body).map_err(|wrong| {
        Problem::new(ProblemCode::JsonInvalid, format!("the body is not valid JSON: {wrong}"))
    })
}

impl Wanted {
    /// Reads one event.
    pub(super) fn read(json: &RawValue, header: KeyHeader, now: Millis) -> Result<Self, Problem> {
        let mut members = Members::of(json)?;
        let user_id = members.optional("user_id", "must be an integer of at most 64 bits").map(UserId);
        let event_type = event_type(&mut members);
        let data = data(&mut members);
        let key = key(&mut members, header);
        let deliver_at = deliver_at(&mut members, now);
        let endpoint_ids = endpoint_ids(&mut members);
        members.done()?;
        // Whatever is none without a fault was not given.
        let (Some(event_type), Some(data)) = (event_type, data) else {
            return Err(ProblemCode::ValidationFailed.into());
        };
        Ok(Self { user_id, event_type, data, key, deliver_at, endpoint_ids })
    }

    /// The same as the caller may publish it: for its own user, or an administrator for the one that is named.
    pub(super) fn by(self, scope: Scope, request_id: &RequestId) -> Result<Publication, Problem> {
        let user_id = match (self.user_id, scope) {
            (Some(user), scope) if scope.covers(user) => user,
            (Some(_), _) => return Err(ProblemCode::Forbidden.into()),
            (None, Scope::User(own)) => own,
            (None, Scope::Everyone) => {
                return Err(Problem::field(ProblemCode::ValidationFailed, "user_id", "is missing"));
            }
        };
        let key = self.key.as_ref().map(|key| Key { key: key.clone(), body_hash: self.hash() });
        Ok(Publication {
            user_id,
            key,
            event_type: self.event_type,
            data: self.data,
            deliver_at: self.deliver_at,
            endpoint_ids: self.endpoint_ids,
            request_id: Some(request_id.as_str().to_owned()),
        })
    }

    /// What makes two publications the same: type, data byte for byte, time and recipients as they were named.
    fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [self.event_type.as_bytes(), self.data.get().as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update([u8::from(self.deliver_at.is_some())]);
        hash.update(self.deliver_at.map_or(0, |at| at.0).to_be_bytes());
        for id in self.endpoint_ids.iter().flatten() {
            hash.update(id.0.as_bytes());
        }
        hash.finalize().into()
    }
}

fn event_type(members: &mut Members<'_>) -> Option<String> {
    let name: String = members.required("type", "must be a string")?;
    match name.parse::<EventTypeName>() {
        Err(wrong) => members.fault("type", wrong.to_string()),
        Ok(_) if is_system_event_type(&name) => {
            members.fault("type", "is a type that only Hookyard itself publishes");
        }
        Ok(_) => return Some(name),
    }
    None
}

fn data(members: &mut Members<'_>) -> Option<Box<RawValue>> {
    let Some(data) = members.raw("data") else {
        members.fault("data", "is missing");
        return None;
    };
    match check_data(data.get()) {
        Ok(()) => Some(data.to_owned()),
        Err(wrong) => {
            members.fault("data", wrong.to_string());
            None
        }
    }
}

fn key(members: &mut Members<'_>, header: KeyHeader) -> Option<IdempotencyKey> {
    const FIELD: &str = "idempotency_key";
    let member: Option<String> = members.optional(FIELD, "must be a string");
    let given = match (member, header) {
        (_, Err(wrong)) => {
            members.fault(FIELD, wrong);
            return None;
        }
        (Some(member), Ok(Some(header))) if member != header => {
            members.fault(FIELD, "differs from the Idempotency-Key header");
            return None;
        }
        (member, Ok(header)) => member.or(header)?,
    };
    IdempotencyKey::parse(&given).map_err(|wrong| members.fault(FIELD, wrong.to_string())).ok()
}

fn deliver_at(members: &mut Members<'_>, now: Millis) -> Option<Millis> {
    const RULE: &str = "must be a time by RFC 3339, such as 2026-11-21T10:00:00Z";
    let text: String = members.optional("deliver_at", RULE)?;
    let Some(at) = Millis::parse_rfc3339(&text) else {
        members.fault("deliver_at", RULE);
        return None;
    };
    if at > now + MAX_DELIVER_AHEAD {
        members.fault("deliver_at", "must be at most 30 days ahead");
    }
    Some(at)
}

fn endpoint_ids(members: &mut Members<'_>) -> Option<Vec<EndpointId>> {
    let given = members.raw("endpoint_ids").filter(|given| given.get() != "null")?;
    let Some(given) = items(given, MAX_NAMED_ENDPOINTS).filter(|given| !given.is_empty()) else {
        members.fault("endpoint_ids", format!("must be an array of 1 to {MAX_NAMED_ENDPOINTS} endpoint ids"));
        return None;
    };
    let (mut ids, mut seen) = (Vec::with_capacity(given.len()), HashSet::new());
    for (place, id) in given.into_iter().enumerate() {
        match serde_json::from_str::<EndpointId>(id.get()) {
            Ok(id) if seen.insert(id) => ids.push(id),
            Ok(_) => members.fault(format!("endpoint_ids[{place}]"), "is named twice"),
            Err(_) => members.fault(format!("endpoint_ids[{place}]"), "is not a UUID"),
        }
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(scope: Scope, json: &str) -> Result<Publication, u16> {
        let json: &RawValue = serde_json::from_str(json).expect("JSON");
        let wanted = Wanted::read(json, Ok(Some("k".into())), Millis(0)).expect("a good event");
        let request_id = RequestId::from_headers(&HeaderMap::new());
        wanted.by(scope, &request_id).map_err(|problem| problem.code.status())
    }

    #[test]
    fn a_user_publishes_for_itself_alone_and_an_administrator_names_the_user() {
        let (own, admin) = (Scope::User(UserId(1)), Scope::Everyone);
        let (mine, others, nobodys) = (
            r#"{"type":"t","data":1,"user_id":1}"#,
            r#"{"type":"t","data":1,"user_id":2}"#,
            r#"{"type":"t","data":1}"#,
        );
        let user = |scope, json| by(scope, json).map(|publication| publication.user_id.0);
        assert_eq!((user(own, mine), user(own, nobodys), user(own, others)), (Ok(1), Ok(1), Err(403)));
        assert_eq!((user(admin, mine), user(admin, others), user(admin, nobodys)), (Ok(1), Ok(2), Err(422)));
    }

    #[test]
    fn everything_that_is_published_makes_a_difference_and_the_order_of_members_none() {
        let id = "018de8f5-6960-7c52-8c79-6b5bde1f0001";
        let bodies = [
            r#"{"type":"t","data":1}"#.to_owned(),
            r#"{"type":"t","data": 11}"#.to_owned(),
            r#"{"type":"t1","data":1}"#.to_owned(),
            r#"{"type":"t","data":1,"deliver_at":"1970-01-01T00:00:00Z"}"#.to_owned(),
            r#"{"type":"t","data":1,"deliver_at":"1970-01-01T00:00:00.001Z"}"#.to_owned(),
            format!(r#"{{"type":"t","data":1,"endpoint_ids":["{id}"]}}"#),
        ];
        let hash = |body: &str| {
            let publication = by(Scope::User(UserId(1)), body).expect("a publication");
            publication.key.expect("a key").body_hash
        };
        let hashes: HashSet<_> = bodies.iter().map(|body| hash(body)).collect();
        assert_eq!(hashes.len(), bodies.len());
        assert_eq!(hash(&bodies[0]), hash(r#" { "idempotency_key": "k", "data" : 1, "type": "t" } "#));
    }
}
