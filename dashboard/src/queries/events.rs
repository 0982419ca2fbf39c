//! The bytes that a delivery carries.

use sea_orm::{DatabaseConnection, DbErr, FromQueryResult};
use uuid::Uuid;

use super::rows;

#[derive(FromQueryResult)]
struct BodyRow {
    body: Option<Vec<u8>>,
}

// A delivery of its own bytes wins over the event's.
const SQL: &str = "
SELECT coalesce((SELECT body FROM delivery WHERE id = $1),
                (SELECT body FROM finished_delivery WHERE id = $1),
                (SELECT body FROM event WHERE id = $2)) AS body";

/// The body that is signed and sent, byte for byte; none when it is kept no longer.
pub(crate) async fn body(
    db: &DatabaseConnection,
    delivery: Uuid,
    event: Uuid,
) -> Result<Option<Vec<u8>>, DbErr> {
    let found: Vec<BodyRow> = rows(db, SQL, [delivery.into(), event.into()]).await?;
    Ok(found.into_iter().find_map(|row| row.body))
}
