//! Placements, newest first, and what they amount to. They belong to no user: only administrators may ask for them.

use domain::id::PlacementId;
use platform::database::{Database, DatabaseError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::placement::{Column, Entity, Model};
use crate::sql_builder::SqlBuilder;

/// Most companies that the statistics list.
pub const TOP_COMPANIES: i64 = 100;

/// What all placements amount to. Packages are none where no placement has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Students who got an offer, each counted once.
    pub students: i64,
    /// Companies that made one, each counted once.
    pub companies: i64,
    /// Offers.
    pub offers: i64,
    /// The highest package.
    pub highest: Option<f64>,
    /// The mean of the packages.
    pub average: Option<f64>,
    /// The middle package, or the mean of the two in the middle.
    pub median: Option<f64>,
}

from_row!(Summary { students, companies, offers, highest, average, median });

/// What the offers of a company amount to.
#[derive(Clone, Debug, PartialEq)]
pub struct OfCompany {
    /// The company.
    pub company: String,
    /// Its offers.
    pub offers: i64,
    /// The students who got them, each counted once.
    pub students: i64,
    /// The highest package.
    pub highest: Option<f64>,
    /// The mean of the packages.
    pub average: Option<f64>,
}

from_row!(OfCompany { company, offers, students, highest, average });

/// The placement, if there is one.
///
/// # Errors
/// Those of the database.
pub async fn find(database: &Database, id: PlacementId) -> Result<Option<Model>, DatabaseError> {
    Ok(Entity::find_by_id(id.0).one(database.reader()).await?)
}

/// At most `limit` placements, those before `before` only, newest first.
///
/// # Errors
/// Those of the database.
pub async fn page(
    database: &Database,
    before: Option<PlacementId>,
    limit: u64,
) -> Result<Vec<Model>, DatabaseError> {
    let mut rows = Entity::find();
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before.0));
    }
    Ok(rows.order_by_desc(Column::Id).limit(limit).all(database.reader()).await?)
}

/// Removes the placement; whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn delete(database: &Database, id: PlacementId) -> Result<bool, DatabaseError> {
    Ok(Entity::delete_by_id(id.0).exec(database.writer()).await?.rows_affected > 0)
}

/// What they amount to: one row of [`Summary`].
// The median in words that both dialects have: of n packages the one or two in the middle.
#[must_use]
pub fn summary() -> SqlBuilder {
    const SQL: &str = "SELECT count(DISTINCT student) AS students, count(DISTINCT company) AS companies,
            count(*) AS offers, max(package) AS highest, avg(package) AS average,
            (SELECT avg(package) FROM (
                SELECT package FROM placement WHERE package IS NOT NULL ORDER BY package
                LIMIT 2 - (SELECT count(package) FROM placement) % 2
                OFFSET ((SELECT count(package) FROM placement) - 1) / 2) AS middle) AS median
        FROM placement";
    let mut query = SqlBuilder::default();
    query.sql(SQL);
    query
}

/// The companies with the most offers: at most [`TOP_COMPANIES`] rows of [`OfCompany`], most offers first.
#[must_use]
pub fn by_company() -> SqlBuilder {
    const SQL: &str = "SELECT company, count(*) AS offers, count(DISTINCT student) AS students,
            max(package) AS highest, avg(package) AS average
        FROM placement GROUP BY company ORDER BY count(*) DESC, ";
    let mut query = SqlBuilder::default();
    query.sql(SQL).bytes_of("company").sql(" LIMIT ").number(TOP_COMPANIES);
    query
}
