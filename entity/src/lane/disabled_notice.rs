//! The marks of lanes whose owners have yet to be notified that they were disabled, and whom to notify.

use platform::database::{DatabaseError, Tx};
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use crate::rows::sqlite::push_list;

macro_rules! marked {
    ($lock:literal) => {
        concat!(
            "SELECT l.id, l.state, l.off_reason, l.off_since, e.user_id, e.url
            FROM lane l LEFT JOIN endpoint e ON e.id = l.id WHERE l.tell_owner ORDER BY l.id LIMIT $1",
            $lock
        )
    };
}

macro_rules! listeners {
    ($of:literal) => {
        concat!(
            "SELECT e.id, e.user_id, e.custom_payload
            FROM event_type t JOIN endpoint_event_type r ON r.event_type_id = t.id
            JOIN endpoint e ON e.id = r.endpoint_id JOIN lane l ON l.id = e.id
            WHERE t.name = 'endpoint.disabled' AND l.state <> 'deleted' AND e.user_id ",
            $of
        )
    };
}

/// A lane whose owner has yet to be notified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Its id, which is the endpoint's.
    pub id: Uuid,
    /// Its state, a word of the domain.
    pub state: String,
    /// Why it was disabled.
    pub off_reason: Option<String>,
    /// When it was disabled, in ms.
    pub off_since: i64,
    /// The endpoint's owner; none when the endpoint is gone.
    pub user_id: Option<i64>,
    /// Where the endpoint is.
    pub url: Option<String>,
}

from_row!(Marked { id, state, off_reason, off_since, user_id, url });

/// An endpoint that is registered for the event of disabled endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The endpoint.
    pub id: Uuid,
    /// Its owner.
    pub user_id: i64,
    /// Its JSON object that is laid over each body.
    pub custom_payload: Option<String>,
}

from_row!(Listener { id, user_id, custom_payload });

/// Removes the marks of at most `most` lanes and returns them. Lanes that are locked elsewhere are skipped.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn take_marked(tx: &mut Tx, most: i64) -> Result<Vec<Marked>, DatabaseError> {
    let marked: Vec<Marked> = match tx {
        Tx::Postgres(tx) => {
            let marked = sqlx::query_as(marked!(" FOR NO KEY UPDATE OF l SKIP LOCKED"));
            marked.bind(most).fetch_all(&mut **tx).await?
        }
        Tx::Sqlite(tx) => sqlx::query_as(marked!("")).bind(most).fetch_all(&mut **tx).await?,
    };
    if marked.is_empty() {
        return Ok(marked);
    }
    let ids: Vec<Uuid> = marked.iter().map(|lane| lane.id).collect();
    match tx {
        Tx::Postgres(tx) => {
            let unmark = sqlx::query("UPDATE lane SET tell_owner = false WHERE id = ANY($1)").bind(ids);
            unmark.execute(&mut **tx).await?;
        }
        Tx::Sqlite(tx) => {
            let mut unmark = QueryBuilder::<Sqlite>::new("UPDATE lane SET tell_owner = 0 WHERE id IN ");
            push_list(&mut unmark, &ids);
            unmark.build().execute(&mut **tx).await?;
        }
    }
    Ok(marked)
}

/// Returns the endpoints of these users that are registered for the event of disabled endpoints.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn listeners(tx: &mut Tx, users: &[i64]) -> Result<Vec<Listener>, DatabaseError> {
    if users.is_empty() {
        return Ok(vec![]);
    }
    Ok(match tx {
        Tx::Postgres(tx) => sqlx::query_as(listeners!("= ANY($1)")).bind(users).fetch_all(&mut **tx).await?,
        Tx::Sqlite(tx) => {
            let mut query = QueryBuilder::<Sqlite>::new(listeners!("IN ("));
            let mut list = query.separated(", ");
            for user in users {
                list.push_bind(*user);
            }
            query.push(")");
            query.build_query_as().fetch_all(&mut **tx).await?
        }
    })
}
