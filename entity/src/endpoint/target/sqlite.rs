//! Endpoints with their lanes on SQLite, by the pool that only reads.

use sqlx::{QueryBuilder, Result, Sqlite, SqlitePool};
use uuid::Uuid;

use super::{TargetRow, columns};
use crate::rows::sqlite::{ROWS, push_list};

const LOAD: &str = concat!(columns!(), " FROM endpoint e JOIN lane l ON l.id = e.id WHERE e.id IN ");

pub(super) async fn load(pool: &SqlitePool, ids: &[Uuid]) -> Result<Vec<TargetRow>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(LOAD);
        push_list(&mut query, ids);
        found.extend(query.build_query_as::<TargetRow>().fetch_all(pool).await?);
    }
    Ok(found)
}
