//! What a rotation asks for, checked member by member; every fault is told at once.

use std::time::Duration;

use axum::{body::HttpBody as _, extract::Request};
use domain::{
    clock::Millis,
    problem::{FieldError, ProblemCode},
    signature::{
        DEFAULT_GRACE, Ed25519Error, Key, MAX_GRACE, PRIVATE_KEY_PREFIX, PrivateKey, SecretError,
        SigningKeys, SigningSecret,
    },
};
use serde_json::{Map, Value};

use crate::{app::Limits, extract::json_body, problem::Problem};

/// Largest body, in bytes.
const MAX_BODY: usize = 4 * 1_024;
/// Most of an unknown member's name that is told, in characters.
const NAME_CHARS: usize = 64;

/// A rotation that keeps the rules.
pub(super) struct Rotation {
    grace: Duration,
    /// None: every key is replaced.
    given: Option<Key>,
}

impl Rotation {
    /// Reads the body; without one, the defaults.
    pub(super) async fn read(request: Request, limits: &Limits) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self { grace: DEFAULT_GRACE, given: None });
        }
        Self::parse(&json_body(request, MAX_BODY, limits).await?)
    }

    fn parse(body: &Value) -> Result<Self, Problem> {
        let Some(members) = body.as_object() else {
            return Err(Problem::field(ProblemCode::ValidationFailed, "body", "must be a JSON object"));
        };
        let mut faults = unknown(members);
        let mut note = |field: &str, message: String| faults.push(FieldError::new(field, message));
        let grace = grace(&body["grace_seconds"]).map_err(|e| note("grace_seconds", e)).ok();
        let given = given(&body["secret"]).map_err(|e| note("secret", e)).ok();
        match (grace, given) {
            (Some(grace), Some(given)) if faults.is_empty() => Ok(Self { grace, given }),
            _ => Err(Problem { errors: faults, ..ProblemCode::ValidationFailed.into() }),
        }
    }

    /// `keys` after this rotation. A given key replaces the one of its kind; without one, the endpoint gets new keys of
    /// the kinds that it has.
    pub(super) fn of(&self, keys: SigningKeys, now: Millis) -> Result<SigningKeys, Problem> {
        let wrong = |field, message| Problem::field(ProblemCode::ValidationFailed, field, message);
        let has_ed25519 = keys.public_key().is_some();
        let new = match &self.given {
            Some(Key::Ed25519(_)) if !has_ed25519 => {
                return Err(wrong(
                    "secret",
                    "must be a whsec_ secret: this endpoint has no ed25519 key".into(),
                ));
            }
            Some(given) => vec![given.clone()],
            None if has_ed25519 => vec![fresh_secret(), Key::Ed25519(PrivateKey::generate())],
            None => vec![fresh_secret()],
        };
        keys.rotated(new, now, self.grace).map_err(|full| wrong("grace_seconds", full.to_string()))
    }
}

fn fresh_secret() -> Key {
    Key::Hmac(SigningSecret::generate())
}

fn unknown(members: &Map<String, Value>) -> Vec<FieldError> {
    let unknown = members.keys().filter(|name| !["grace_seconds", "secret"].contains(&name.as_str()));
    unknown.take(16).map(|name| FieldError::new(shown(name), "is not known here")).collect()
}

fn shown(name: &str) -> String {
    name.chars().take(NAME_CHARS).flat_map(char::escape_default).collect()
}

fn grace(value: &Value) -> Result<Duration, String> {
    if value.is_null() {
        return Ok(DEFAULT_GRACE);
    }
    let seconds = value.as_u64().map(Duration::from_secs).filter(|grace| *grace <= MAX_GRACE);
    seconds.ok_or_else(|| format!("must be a whole number from 0 to {}", MAX_GRACE.as_secs()))
}

fn given(value: &Value) -> Result<Option<Key>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.starts_with(PRIVATE_KEY_PREFIX) => {
            text.parse().map(|key| Some(Key::Ed25519(key))).map_err(|wrong: Ed25519Error| wrong.to_string())
        }
        Value::String(text) => {
            text.parse().map(|key| Some(Key::Hmac(key))).map_err(|wrong: SecretError| wrong.to_string())
        }
        _ => Err("must be a string".into()),
    }
}
