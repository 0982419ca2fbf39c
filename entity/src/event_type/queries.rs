//! Event types. They belong to no user.

use domain::{event_type::EventTypeRef, id::EventTypeId};
use platform::database::{Database, DatabaseError};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, TryInsertResult, sea_query::LockType,
};

use crate::event_type::{ActiveModel, Column, Entity, Model};

/// Most event types that are listed at once.
pub const MAX_LISTED: u64 = 10_000;

/// All of them by name, at most [`MAX_LISTED`].
///
/// # Errors
/// Those of the database.
pub async fn by_name(database: &Database) -> Result<Vec<Model>, DatabaseError> {
    Ok(Entity::find().order_by_asc(Column::Name).limit(MAX_LISTED).all(database.reader()).await?)
}

/// At most `limit` rows, those before `before` only, by id downwards.
///
/// # Errors
/// Those of the database.
pub async fn page(
    database: &Database,
    before: Option<EventTypeId>,
    limit: u64,
) -> Result<Vec<Model>, DatabaseError> {
    let mut rows = Entity::find();
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before.0));
    }
    Ok(rows.order_by_desc(Column::Id).limit(limit).all(database.reader()).await?)
}

/// Those of `asked` that there are, by id.
///
/// # Errors
/// Those of the database.
pub async fn named(database: &Database, asked: &[EventTypeRef]) -> Result<Vec<Model>, DatabaseError> {
    Ok(select(asked).all(database.reader()).await?)
}

/// Stores an event type; whether its name was free.
///
/// # Errors
/// Those of the database.
pub async fn insert(database: &Database, row: Model) -> Result<bool, DatabaseError> {
    let insert = Entity::insert(ActiveModel::from(row)).on_conflict_do_nothing_on([Column::Name]);
    let inserted = insert.exec_without_returning(database.writer()).await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1)))
}

/// Returns the same; none of them can go until the transaction `tx` ends.
pub(crate) async fn keep(tx: &impl ConnectionTrait, asked: &[EventTypeRef]) -> Result<Vec<Model>, DbErr> {
    select(asked).lock(LockType::KeyShare).all(tx).await
}

/// Returns the event type, locked: no endpoint can be registered for it until the transaction `tx` ends.
pub(crate) async fn lock(tx: &impl ConnectionTrait, asked: &EventTypeRef) -> Result<Option<Model>, DbErr> {
    select(std::slice::from_ref(asked)).lock_exclusive().one(tx).await
}

fn select(asked: &[EventTypeRef]) -> Select<Entity> {
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for one in asked {
        match one {
            EventTypeRef::Id(id) => ids.push(id.0),
            EventTypeRef::Name(name) => names.push(name.as_str()),
        }
    }
    let either = Condition::any().add(Column::Id.is_in(ids)).add(Column::Name.is_in(names));
    Entity::find().filter(either).order_by_asc(Column::Id)
}
