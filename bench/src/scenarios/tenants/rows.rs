//! Users with endpoints, made by SQL: as many rows by the API's own calls would take longer than the measurement.

use std::ops::Range;

use anyhow::Result;
use domain::signature::{SigningKeys, SigningSecret};
use platform::keys::Keys;
use uuid::Uuid;

use crate::{
    cluster::{Cluster, Store},
    load::EVENT_TYPE,
};

/// Rows of one statement.
const STEP: u64 = 2_000;
/// Below every id that is made from now on.
const FIRST: u128 = 0x0190_0000_0000_7000_8000_0000_0000_0000;

/// Adds the endpoints of these numbers, all registered for the event type of load; `user_of` says whose each is. The
/// programs must not run: only one process writes a SQLite file at a time.
pub(super) async fn add_endpoints(
    cluster: &Cluster,
    url: &str,
    numbers: Range<u64>,
    user_of: impl Fn(u64) -> u64,
) -> Result<()> {
    let (store, keys) = (cluster.store(), cluster.keys());
    for first in numbers.clone().step_by(STEP as usize) {
        let endpoints: Vec<Endpoint> = (first..(first + STEP).min(numbers.end))
            .map(|number| Endpoint::new(&store, &keys, number, user_of(number)))
            .collect();
        insert(&store, url, &endpoints).await;
    }
    store.rows.change("ANALYZE").await;
    Ok(())
}

/// Literals of one endpoint's rows.
struct Endpoint {
    id: String,
    user: u64,
    sealed_secret: String,
}

impl Endpoint {
    fn new(store: &Store, keys: &Keys, number: u64, user: u64) -> Self {
        let id = Uuid::from_u128(FIRST + u128::from(number));
        let secret = SigningKeys::from(SigningSecret::generate());
        let context = [b"endpoint-secret:", &id.as_bytes()[..]].concat();
        let sealed = keys.seal(&context, secret.expose().as_bytes());
        Self { id: store.uuid(id), user, sealed_secret: store.blob(&sealed) }
    }
}

async fn insert(store: &Store, url: &str, endpoints: &[Endpoint]) {
    let rows = |row: &dyn Fn(&Endpoint) -> String| endpoints.iter().map(row).collect::<Vec<_>>().join(", ");
    let lanes = rows(&|one| format!("({}, 'webhook')", one.id));
    let own = rows(&|one| format!("({}, {}, '{url}', {}, 0, 0)", one.id, one.user, one.sealed_secret));
    let types = rows(&|one| {
        format!("((SELECT id FROM event_type WHERE name = '{EVENT_TYPE}'), {}, {})", one.id, one.user)
    });
    for sql in [
        format!("INSERT INTO lane (id, channel) VALUES {lanes}"),
        format!(
            "INSERT INTO endpoint (id, user_id, url, sealed_secret, created_at, updated_at) VALUES {own}"
        ),
        format!("INSERT INTO endpoint_event_type (event_type_id, endpoint_id, user_id) VALUES {types}"),
    ] {
        store.rows.change(&sql).await;
    }
}
