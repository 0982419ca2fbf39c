//! Statements whose clauses vary, in pieces that both dialects are written from. Values are always bound, never written
//! into the text.

use domain::id::UserId;
use platform::database::{Database, DatabaseError, Pool};
use sqlx::{FromRow, Postgres, QueryBuilder, Sqlite, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use crate::scope::Scope;

/// A piece of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Sql(&'static str),
    Id(Uuid),
    Number(i64),
    Text(String),
    Now,
    Contains(&'static str, String),
    BytesOf(&'static str),
}

/// A statement in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlBuilder(Vec<Piece>);

impl SqlBuilder {
    /// Goes on with text that means the same in both dialects.
    pub fn sql(&mut self, sql: &'static str) -> &mut Self {
        self.piece(Piece::Sql(sql))
    }

    /// Goes on with an id.
    pub fn id(&mut self, id: Uuid) -> &mut Self {
        self.piece(Piece::Id(id))
    }

    /// Goes on with a number.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.piece(Piece::Number(number))
    }

    /// Goes on with a text value.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.piece(Piece::Text(text.to_owned()))
    }

    /// Goes on with a text column to order by: by its bytes, whatever language the database was set up for.
    pub fn bytes_of(&mut self, column: &'static str) -> &mut Self {
        self.piece(Piece::BytesOf(column))
    }

    /// Goes on with the database's time in ms.
    pub fn now(&mut self) -> &mut Self {
        self.piece(Piece::Now)
    }

    /// Goes on with the condition that the text of `column` contains `part`, character by character.
    pub fn contains(&mut self, column: &'static str, part: &str) -> &mut Self {
        self.piece(Piece::Contains(column, part.to_owned()))
    }

    /// Narrows to what `scope` may see; `clause` ends in an `=`.
    pub fn scope(&mut self, clause: &'static str, scope: Scope) -> &mut Self {
        match scope {
            Scope::Everyone => self,
            Scope::User(UserId(user)) => self.sql(clause).number(user),
        }
    }

    fn piece(&mut self, piece: Piece) -> &mut Self {
        self.0.push(piece);
        self
    }

    /// Reads its rows; `time` is what `platform::database::Database::statement_time` gives.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn rows<Row>(&self, database: &Database, time: i64) -> Result<Vec<Row>, DatabaseError>
    where
        Row: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        Ok(match database.pool() {
            Pool::Postgres(pool) => self.postgres(time).build_query_as().fetch_all(pool).await?,
            Pool::Sqlite(_) => {
                let pool = database.reader().get_sqlite_connection_pool();
                self.sqlite(time).build_query_as().fetch_all(pool).await?
            }
        })
    }

    /// As Postgres takes it; `offset` is added to the server's clock.
    #[must_use]
    pub fn postgres(&self, offset: i64) -> QueryBuilder<Postgres> {
        let mut query = QueryBuilder::new("");
        for piece in &self.0 {
            match piece {
                Piece::Sql(sql) => query.push(sql),
                Piece::Id(id) => query.push_bind(*id),
                Piece::Number(number) => query.push_bind(*number),
                Piece::Text(text) => query.push_bind(text.clone()),
                Piece::Now => query.push("(now_ms() + ").push_bind(offset).push(")"),
                Piece::BytesOf(column) => query.push(column).push(" COLLATE \"C\""),
                Piece::Contains(column, part) => {
                    query.push("strpos(").push(column).push(", ").push_bind(part.clone()).push(") > 0")
                }
            };
        }
        query
    }

    /// As SQLite takes it; `now` is the time.
    #[must_use]
    pub fn sqlite(&self, now: i64) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("");
        for piece in &self.0 {
            match piece {
                Piece::Sql(sql) => query.push(sql),
                Piece::Id(id) => query.push_bind(*id),
                Piece::Number(number) => query.push_bind(*number),
                Piece::Text(text) => query.push_bind(text.clone()),
                Piece::Now => query.push_bind(now),
                Piece::BytesOf(column) => query.push(column),
                Piece::Contains(column, part) => {
                    query.push("instr(").push(column).push(", ").push_bind(part.clone()).push(") > 0")
                }
            };
        }
        query
    }
}
