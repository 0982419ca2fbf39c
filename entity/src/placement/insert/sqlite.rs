//! Placements on SQLite. A statement takes at most a thousand rows of seven columns, far below its 32,766 bound values.

use sqlx::{QueryBuilder, Result, Sqlite, SqliteConnection};

use crate::placement;

pub(super) async fn insert(tx: &mut SqliteConnection, rows: &[placement::Model]) -> Result<()> {
    const HEAD: &str = "INSERT INTO placement (id, student, company, role, package, placed_on, created_at) ";
    let mut insert = QueryBuilder::<Sqlite>::new(HEAD);
    insert.push_values(rows, |mut values, row| {
        values
            .push_bind(row.id)
            .push_bind(row.student.as_str())
            .push_bind(row.company.as_str())
            .push_bind(row.role.as_deref())
            .push_bind(row.package)
            .push_bind(row.placed_on.as_deref())
            .push_bind(row.created_at);
    });
    insert.build().execute(tx).await.map(drop)
}
