//! The statement of a list of deliveries: the three tables that they may stand in, narrowed by the same clauses. Values are
//! always bound.

use domain::delivery::DisplayStatus;

use super::Filter;
use crate::sql_builder::SqlBuilder;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Open,
    Finished,
    Letters,
}

const OPEN: &str = "SELECT * FROM (SELECT d.id, d.event_id, d.user_id, d.lane_id, d.channel, d.recipient_id, d.position,
        d.attempts, d.created_at, d.due_at, d.lease_until, CAST(NULL AS text) AS state, CAST(NULL AS text) AS reason,
        CAST(NULL AS bigint) AS finished_at, CAST(NULL AS text) AS event_type
    FROM delivery d";
const FINISHED: &str = " UNION ALL
    SELECT * FROM (SELECT d.id, d.event_id, d.user_id, d.lane_id, d.channel, d.recipient_id, d.position,
        d.attempts, d.created_at, CAST(0 AS bigint) AS due_at, CAST(0 AS bigint) AS lease_until, d.state, d.reason,
        d.finished_at, CAST(NULL AS text) AS event_type
    FROM finished_delivery d";
const LETTERS: &str = " UNION ALL
    SELECT * FROM (SELECT d.id, d.event_id, d.user_id, d.lane_id, d.channel, d.recipient_id, d.position,
        d.attempts, d.created_at, CAST(0 AS bigint) AS due_at, CAST(0 AS bigint) AS lease_until, 'dead' AS state, d.reason,
        d.finished_at, d.event_type
    FROM dead_letter d";

/// The three tables narrowed by the same clauses, and what belongs to their rows.
pub(super) fn select(limit: i64, narrowed: impl Fn(&mut SqlBuilder, Table)) -> SqlBuilder {
    let mut query = SqlBuilder::default();
    query.sql(
        "SELECT d.id, d.event_id, d.user_id, d.channel, d.recipient_id, d.position, d.attempts, d.created_at, d.due_at,
            d.lease_until, d.state, d.reason, d.finished_at, coalesce(event.event_type, d.event_type) AS event_type,
            endpoint.url, endpoint.retry_schedule, lane.state AS lane_state, lane.off_reason, lane.blocked_until, lane.failures,
            lane.breaker_until, lane.drain_before, lane.rate_limit, lane.max_in_flight, ",
    );
    query.now().sql(" AS asked_at FROM (");
    for (table, sql) in [(Table::Open, OPEN), (Table::Finished, FINISHED), (Table::Letters, LETTERS)] {
        narrowed(query.sql(sql), table);
        query.sql(" ORDER BY d.id DESC LIMIT ").number(limit);
        query.sql(match table {
            Table::Open => ") AS open",
            Table::Finished => ") AS finished",
            Table::Letters => ") AS letters",
        });
    }
    query.sql(
        ") AS d LEFT JOIN event ON event.id = d.event_id
        LEFT JOIN endpoint ON endpoint.id = d.recipient_id
        LEFT JOIN lane ON lane.id = d.lane_id
        ORDER BY d.id DESC LIMIT ",
    );
    query.number(limit);
    query
}

pub(super) fn narrow(query: &mut SqlBuilder, filter: &Filter) {
    if let Some(user) = filter.user_id {
        query.sql(" AND d.user_id = ").number(user.0);
    }
    if let Some(endpoint) = filter.endpoint_id {
        // An endpoint is a lane of its own, and lanes have an index.
        query.sql(" AND d.lane_id = ").id(endpoint.0);
    }
    if let Some(event) = filter.event_id {
        query.sql(" AND d.event_id = ").id(event.0);
    }
    if let Some(channel) = filter.channel {
        query.sql(" AND d.channel = ").text(channel.as_str());
    }
    if let Some(class) = filter.error_class {
        query.sql(" AND EXISTS (SELECT 1 FROM attempt a WHERE a.delivery_id = d.id AND a.error_class = ");
        query.text(class.as_str()).sql(")");
    }
}

pub(super) fn narrow_by_type(query: &mut SqlBuilder, filter: &Filter, table: Table) {
    match (filter.event_type.as_deref(), table) {
        (None, _) => {}
        (Some(name), Table::Letters) => {
            query.sql(" AND d.event_type = ").text(name);
        }
        (Some(name), Table::Open | Table::Finished) => {
            query.sql(" AND EXISTS (SELECT 1 FROM event e WHERE e.id = d.event_id AND e.event_type = ");
            query.text(name).sql(")");
        }
    }
}

pub(super) fn narrow_by_status(query: &mut SqlBuilder, status: Option<DisplayStatus>, table: Table) {
    const HELD: &str = "EXISTS (SELECT 1 FROM lane l WHERE l.id = d.lane_id AND l.state <> 'active')";
    match (status, table) {
        (None, _) | (Some(DisplayStatus::Dead), Table::Letters) => {}
        (Some(DisplayStatus::Sending), Table::Open) => {
            query.sql(" AND d.lease_until > ").now();
        }
        (Some(DisplayStatus::Held), Table::Open) => {
            query.sql(" AND d.lease_until <= ").now().sql(" AND ").sql(HELD);
        }
        (Some(DisplayStatus::Pending), Table::Open) => {
            query.sql(" AND d.lease_until <= ").now().sql(" AND NOT ").sql(HELD);
        }
        // Written out: an index of the dead knows the word, not the bound value.
        (Some(DisplayStatus::Dead), Table::Finished) => {
            query.sql(" AND d.state = 'dead'");
        }
        (Some(DisplayStatus::Succeeded), Table::Finished) => {
            query.sql(" AND d.state = 'succeeded'");
        }
        (Some(DisplayStatus::Cancelled), Table::Finished) => {
            query.sql(" AND d.state = 'cancelled'");
        }
        _ => {
            query.sql(" AND 1 = 0");
        }
    }
}
