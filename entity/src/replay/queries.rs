//! Replays, and the set of deliveries that each of them is about. The set is fixed when the replay is made: what ends later
//! is not part of it, so a replay never meets what came of itself.

use domain::{
    clock::Millis,
    delivery::DeliveryState,
    id::{EndpointId, ReplayId, UserId, first_id_at},
    replay::ReplayState,
};
use platform::database::{Database, DatabaseError};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use uuid::Uuid;

use crate::replay::{Column, Entity, Model};
use crate::{scope::Scope, sql_builder::SqlBuilder};

/// The deliveries that a replay is about: finished, in one state, among ids that are fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Whose; none: everybody's.
    pub user_id: Option<UserId>,
    /// To this endpoint only.
    pub endpoint_id: Option<EndpointId>,
    /// The state that they ended in: dead, succeeded or cancelled.
    pub of_state: DeliveryState,
    /// Of events of this type only.
    pub event_type: Option<String>,
    /// Accepted from then on.
    pub since: Option<Millis>,
    /// Accepted before then.
    pub until: Option<Millis>,
    /// Ids above this one.
    pub after: Uuid,
    /// Ids below this one.
    pub bound: Uuid,
    /// That had ended by then.
    pub ended_by: Millis,
}

/// What a page looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The finished delivery.
    pub id: Uuid,
    /// Whether it can be delivered again: its lane was not deleted, and what to send is still there.
    pub alive: bool,
}

from_row!(Candidate { id, alive });

impl Set {
    /// The rest of a replay's set; none for a row that this version can't read.
    #[must_use]
    pub fn rest_of(replay: &Model) -> Option<Self> {
        Some(Self {
            user_id: replay.user_id.map(UserId),
            endpoint_id: replay.endpoint_id.map(EndpointId),
            of_state: replay.of_state.parse().ok()?,
            event_type: replay.event_type.clone(),
            since: replay.since.map(Millis),
            until: replay.until.map(Millis),
            after: replay.cursor,
            bound: replay.bound,
            ended_by: Millis(replay.created_at),
        })
    }

    /// Counts it, up to `most`.
    #[must_use]
    pub fn count(&self, most: i64) -> SqlBuilder {
        let mut query = SqlBuilder::default();
        query.sql("SELECT count(*) FROM (");
        self.members(&mut query, "SELECT d.id", "SELECT d.id", most);
        query.sql(") AS few");
        query
    }

    /// Its first members, in the order of ids, at most `most`.
    #[must_use]
    pub fn candidates(&self, most: i64) -> SqlBuilder {
        const FINISHED: &str = "SELECT d.id,
            EXISTS (SELECT 1 FROM lane l WHERE l.id = d.lane_id AND l.state <> 'deleted')
            AND EXISTS (SELECT 1 FROM event e WHERE e.id = d.event_id) AS alive";
        const LETTERS: &str = "SELECT d.id,
            EXISTS (SELECT 1 FROM lane l WHERE l.id = d.lane_id AND l.state <> 'deleted')
            AND d.body IS NOT NULL AS alive";
        let mut query = SqlBuilder::default();
        self.members(&mut query, FINISHED, LETTERS, most);
        query
    }

    /// Both tables that hold finished deliveries, each walked in the order of ids.
    fn members(&self, query: &mut SqlBuilder, finished: &'static str, letters: &'static str, most: i64) {
        query.sql("SELECT * FROM (SELECT * FROM (").sql(finished).sql(" FROM finished_delivery d");
        self.narrow(query);
        query.sql(match self.of_state {
            DeliveryState::Dead => " AND d.state = 'dead'",
            DeliveryState::Succeeded => " AND d.state = 'succeeded'",
            DeliveryState::Cancelled => " AND d.state = 'cancelled'",
            DeliveryState::Pending | DeliveryState::Sending => " AND 1 = 0",
        });
        if let Some(name) = &self.event_type {
            query.sql(" AND EXISTS (SELECT 1 FROM event e WHERE e.id = d.event_id AND e.event_type = ");
            query.text(name).sql(")");
        }
        query.sql(" ORDER BY d.id LIMIT ").number(most).sql(") AS finished");
        if self.of_state == DeliveryState::Dead {
            query.sql(" UNION ALL SELECT * FROM (").sql(letters).sql(" FROM dead_letter d");
            self.narrow(query);
            if let Some(name) = &self.event_type {
                query.sql(" AND d.event_type = ").text(name);
            }
            query.sql(" ORDER BY d.id LIMIT ").number(most).sql(") AS letters");
        }
        query.sql(") AS members ORDER BY id LIMIT ").number(most);
    }

    fn narrow(&self, query: &mut SqlBuilder) {
        let after = self.since.map_or(Uuid::nil(), first_id_at);
        query.sql(" WHERE d.id > ").id(self.after).sql(" AND d.id >= ").id(after);
        query
            .sql(" AND d.id < ")
            .id(self.until.map_or(self.bound, |until| self.bound.min(first_id_at(until))));
        query.sql(" AND d.finished_at <= ").number(self.ended_by.0);
        if let Some(user) = self.user_id {
            query.sql(" AND d.user_id = ").number(user.0);
        }
        if let Some(endpoint) = self.endpoint_id {
            query.sql(" AND d.lane_id = ").id(endpoint.0);
        }
    }
}

/// The replay, if there is one that `scope` may see.
///
/// # Errors
/// Those of the database.
pub async fn find(database: &Database, scope: Scope, id: ReplayId) -> Result<Option<Model>, DatabaseError> {
    Ok(Entity::find()
        .filter(Column::Id.eq(id.0))
        .filter(scope.of(Column::UserId))
        .one(database.reader())
        .await?)
}

/// At most `limit` replays that `scope` may see, those before `before` only, newest first.
///
/// # Errors
/// Those of the database.
pub async fn page(
    database: &Database,
    scope: Scope,
    before: Option<ReplayId>,
    limit: u64,
) -> Result<Vec<Model>, DatabaseError> {
    let mut rows = Entity::find().filter(scope.of(Column::UserId));
    if let Some(before) = before {
        rows = rows.filter(Column::Id.lt(before.0));
    }
    Ok(rows.order_by_desc(Column::Id).limit(limit).all(database.reader()).await?)
}

/// How many replays of this user, or of everybody's deliveries, are not finished.
///
/// # Errors
/// Those of the database.
pub async fn unfinished(database: &Database, user_id: Option<UserId>) -> Result<u64, DatabaseError> {
    let whose = user_id.map_or_else(|| Column::UserId.is_null(), |user| Column::UserId.eq(user.0));
    let states = ReplayState::ALL.iter().filter(|state| !state.is_finished()).map(|state| state.as_str());
    Ok(Entity::find().filter(whose).filter(Column::State.is_in(states)).count(database.reader()).await?)
}

/// Stores a replay.
///
/// # Errors
/// Those of the database.
pub async fn insert(database: &Database, row: Model) -> Result<(), DatabaseError> {
    let insert = Entity::insert(row.into_active_model().reset_all());
    insert.exec_without_returning(database.writer()).await?;
    Ok(())
}

/// Moves a replay that stands in one of `from` to `to`; returns it, if it stood so. A page that is being made is waited
/// for. `ended_at` is written where it ends by this.
///
/// # Errors
/// Those of the database.
pub async fn turn(
    database: &Database,
    scope: Scope,
    id: ReplayId,
    from: &[ReplayState],
    to: ReplayState,
    ended_at: Option<Millis>,
) -> Result<bool, DatabaseError> {
    let mut update = Entity::update_many().col_expr(Column::State, Expr::value(to.as_str()));
    if let Some(ended_at) = ended_at {
        update = update.col_expr(Column::FinishedAt, Expr::value(ended_at.0));
    }
    let stood = Column::State.is_in(from.iter().map(|state| state.as_str()));
    let update = update.filter(Column::Id.eq(id.0)).filter(scope.of(Column::UserId)).filter(stood);
    Ok(update.exec(database.writer()).await?.rows_affected > 0)
}
