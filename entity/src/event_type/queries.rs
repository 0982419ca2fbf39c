//! Event types. They belong to no user.

use domain::{event_type::EventTypeRef, id::EventTypeId};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, sea_query::LockType,
};

use crate::event_type::{Column, Entity, Model};

/// Most event types that are listed at once.
pub const MAX_LISTED: u64 = 10_000;

/// All of them by name, at most [`MAX_LISTED`].
///
/// # Errors
/// Those of the database.
pub async fn by_name(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Name).limit(MAX_LISTED).all(db).await
}

/// At most `limit` rows, those before `before` only, by id downwards.
///
/// # Errors
/// Those of the database.
pub async fn page(
    db: &impl ConnectionTrait,
    before: Option<EventTypeId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut rows = Entity::find();
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before.0));
    }
    rows.order_by_desc(Column::Id).limit(limit).all(db).await
}

/// Those of `asked` that there are, by id.
///
/// # Errors
/// Those of the database.
pub async fn named(db: &impl ConnectionTrait, asked: &[EventTypeRef]) -> Result<Vec<Model>, DbErr> {
    select(asked).all(db).await
}

/// The same; none of them can go until the transaction `tx` ends.
///
/// # Errors
/// Those of the database.
pub async fn keep(tx: &impl ConnectionTrait, asked: &[EventTypeRef]) -> Result<Vec<Model>, DbErr> {
    select(asked).lock(LockType::KeyShare).all(tx).await
}

/// Returns the event type, locked: no endpoint can be registered for it until the transaction `tx` ends.
///
/// # Errors
/// Those of the database.
pub async fn lock(tx: &impl ConnectionTrait, asked: &EventTypeRef) -> Result<Option<Model>, DbErr> {
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
