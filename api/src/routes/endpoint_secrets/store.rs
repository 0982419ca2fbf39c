//! An endpoint's keys, sealed in its row and opened. A change is written only over what it was made from.

use domain::{id::EndpointId, problem::ProblemCode, signature::SigningKeys};
use entity::{
    endpoint::{Model, secret},
    scope::Scope,
};
use platform::{context::Context, keys::Keys};

use super::secret_context;
use crate::problem::Problem;

/// An endpoint's keys, opened.
pub(super) struct Opened {
    row: Model,
    /// The keys.
    pub(super) keys: SigningKeys,
}

impl Opened {
    /// Whose they are.
    pub(super) const fn user_id(&self) -> i64 {
        self.row.user_id
    }
}

/// The keys of an endpoint that `scope` may see and that is not deleted.
pub(super) async fn load(context: &Context, scope: Scope, id: EndpointId) -> Result<Opened, Problem> {
    let found = secret::find(&context.database, scope, id)
        .await
        .map_err(|error| Problem::unavailable("an endpoint cannot be read", error))?;
    let row = found.ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such endpoint"))?;
    let keys = open(&context.keys, id, &row.sealed_secret)?;
    Ok(Opened { row, keys })
}

/// Writes `keys` if the row still holds what was loaded; whether it did.
pub(super) async fn replace(context: &Context, loaded: &Opened, keys: &SigningKeys) -> Result<bool, Problem> {
    let sealed = seal(&context.keys, loaded.row.id.into(), keys);
    secret::replace(&context.database, &loaded.row, sealed, context.clock.now())
        .await
        .map_err(|error| Problem::unavailable("an endpoint's secret was not stored", error))
}

/// Keys as they are stored.
pub(crate) fn seal(sealer: &Keys, id: EndpointId, keys: &SigningKeys) -> Vec<u8> {
    sealer.seal(&secret_context(id), keys.expose().as_bytes())
}

/// Keys as they were stored.
pub(crate) fn open(sealer: &Keys, id: EndpointId, sealed: &[u8]) -> Result<SigningKeys, Problem> {
    let broken =
        |error: &dyn std::fmt::Display| Problem::internal("an endpoint's secret cannot be opened", error);
    let plain = sealer.open(&secret_context(id), sealed).map_err(|error| broken(&error))?;
    let text = std::str::from_utf8(&plain).map_err(|error| broken(&error))?;
    text.parse().map_err(|error: domain::signature::KeysError| broken(&error))
}
