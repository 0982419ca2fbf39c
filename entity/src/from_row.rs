//! Reading rows of both databases into structs, column by column.

/// Implements `sqlx::FromRow` for Postgres and SQLite: each column has the name of its field. `field: Type` reads a `Type` and
/// converts it; fields after a `;` are structs that read their own columns of the same row.
///
/// Replaces the derive of the same name, whose macro crate compiles sqlx and SQLite a second time for the build.
macro_rules! from_row {
    ($row:ident { $($field:ident $(: $stored:ty)?),+ $(; $($part:ident),+)? }) => {
        from_row!(@database sqlx::postgres::PgRow, $row { $($field $(: $stored)?),+ $(; $($part),+)? });
        from_row!(@database sqlx::sqlite::SqliteRow, $row { $($field $(: $stored)?),+ $(; $($part),+)? });
    };
    (@database $columns:ty, $row:ident { $($field:ident $(: $stored:ty)?),+ $(; $($part:ident),+)? }) => {
        impl<'r> sqlx::FromRow<'r, $columns> for $row {
            fn from_row(columns: &'r $columns) -> sqlx::Result<Self> {
                Ok(Self {
                    $($field: from_row!(@column columns, $field $(, $stored)?),)+
                    $($($part: sqlx::FromRow::from_row(columns)?,)+)?
                })
            }
        }
    };
    (@column $columns:ident, $field:ident) => {
        sqlx::Row::try_get($columns, stringify!($field))?
    };
    (@column $columns:ident, $field:ident, $stored:ty) => {
        sqlx::Row::try_get::<$stored, _>($columns, stringify!($field))?.into()
    };
}
