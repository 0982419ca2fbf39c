//! What a rotation asks for, checked member by member; every fault is named at once.

use std::time::Duration;

use axum::{body::HttpBody as _, extract::Request};
use domain::{
    clock::Millis,
    problem::ProblemCode,
    signature::{
        DEFAULT_GRACE, Ed25519Error, Key, MAX_GRACE, PRIVATE_KEY_PREFIX, PrivateKey, SecretError,
        SigningKeys, SigningSecret,
    },
};
use serde_json::Value;

use crate::{
    app::Limits,
    extract::{Fields, json_fields},
    problem::Problem,
};

/// Largest body, in bytes.
const MAX_BODY: usize = 4 * 1_024;

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
        Self::of_members(json_fields(request, MAX_BODY, limits).await?)
    }

    fn of_members(mut fields: Fields) -> Result<Self, Problem> {
        let grace = fields.optional("grace_seconds", grace).unwrap_or(DEFAULT_GRACE);
        let given = fields.optional("secret", given);
        fields.done()?;
        Ok(Self { grace, given })
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

fn grace(value: &Value) -> Result<Duration, String> {
    let seconds = value.as_u64().map(Duration::from_secs).filter(|grace| *grace <= MAX_GRACE);
    seconds.ok_or_else(|| format!("must be a whole number from 0 to {}", MAX_GRACE.as_secs()))
}

fn given(value: &Value) -> Result<Key, String> {
    match value {
        Value::String(text) if text.starts_with(PRIVATE_KEY_PREFIX) => {
            text.parse().map(Key::Ed25519).map_err(|wrong: Ed25519Error| wrong.to_string())
        }
        Value::String(text) => text.parse().map(Key::Hmac).map_err(|wrong: SecretError| wrong.to_string()),
        _ => Err("must be a string".into()),
    }
}
