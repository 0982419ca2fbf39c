//! Messages in the order of their times, and what is known of all of them. Counts that need no look at the messages are
//! read from the rollups. Messages belong to no user: only administrators may ask for them.

use domain::message::MessageView;

use crate::sql_builder::SqlBuilder;

/// Most senders that the statistics list.
pub const TOP_SENDERS: i64 = 10;

/// How many rows a page may walk over beside all other requests; beyond, only their keys are.
const WALKED: i64 = 10_000;
/// Walking along an index costs about so many times what reading a table through does, a row.
const RARE: i64 = 16;
/// Most keys that are sorted for one page.
const SIFTED: i64 = 50_000;

/// How a page is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Along an index that has the order of the list, row by row: near its beginning nothing is quicker.
    Walk,
    /// Along the same index, but only the rows of the page are read as a whole.
    Keys,
    /// Through all that may fit, and then sorted: the way to a few among many.
    Sift,
}

/// What a list is narrowed by. Every member that is there has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// From exactly this sender.
    pub from: Option<String>,
    /// Written then or later: a key that orders messages.
    pub since_key: Option<String>,
    /// Whose folded text contains this folded text.
    pub contains: Option<String>,
}

/// A message of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What its sender calls it.
    pub message_id: String,
    /// Whom it is from.
    pub sender: String,
    /// Whom it is to.
    pub recipient: String,
    /// When it was written, as sent.
    pub ts: String,
    /// What it says.
    pub text: Option<String>,
}

from_row!(Row { message_id, sender, recipient, ts, text });

/// A number of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// How many.
    pub messages: i64,
}

from_row!(Total { messages });

/// What is known of all messages, with one of the busiest senders; all rows are of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// How many messages there are.
    pub messages: i64,
    /// How many senders there are.
    pub senders: i64,
    /// The first message's time, as sent.
    pub first_ts: Option<String>,
    /// The last message's time, as sent.
    pub last_ts: Option<String>,
    /// One of the busiest senders; none when there is no message.
    pub sender: Option<String>,
    /// How many messages are from it.
    pub from_sender: Option<i64>,
}

from_row!(Stats { messages, senders, first_ts, last_ts, sender, from_sender });

impl Row {
    /// What readers see of it.
    #[must_use]
    pub fn view(&self) -> MessageView<'_> {
        MessageView {
            message_id: &self.message_id,
            from: &self.sender,
            to: &self.recipient,
            ts: &self.ts,
            text: self.text.as_deref(),
        }
    }
}

impl Filter {
    /// Whether [`Filter::count`] is read from the rollups, however many messages there are.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        self.since_key.is_none() && self.contains.is_none()
    }

    /// The quickest way to a page, of the `total` messages that fit.
    #[must_use]
    pub fn way(&self, total: i64, limit: i64, offset: i64) -> Way {
        let sifted = offset.saturating_add(limit).saturating_mul(RARE).min(SIFTED);
        if self.contains.is_some() && total <= sifted {
            Way::Sift
        } else if self.contains.is_some() || offset > WALKED {
            Way::Keys
        } else {
            Way::Walk
        }
    }

    /// How many messages fit: one row of [`Total`], or none for nothing.
    #[must_use]
    pub fn count(&self) -> SqlBuilder {
        let mut query = SqlBuilder::default();
        match &self.from {
            _ if !self.is_counted() => {
                query.sql("SELECT count(*) AS messages FROM message");
                self.narrow(&mut query);
            }
            Some(from) => {
                query.sql("SELECT messages FROM message_sender WHERE sender = ").text(from);
            }
            None => {
                query.sql("SELECT CAST(sum(messages) AS bigint) AS messages FROM message_total");
            }
        }
        query
    }

    /// At most `limit` of the messages that fit, [`Row`]s in the order of their times and then of their ids, those after
    /// the first `offset`. Whatever the way is, they are the same.
    #[must_use]
    pub fn page(&self, way: Way, limit: i64, offset: i64) -> SqlBuilder {
        let mut query = SqlBuilder::default();
        if way == Way::Walk {
            query.sql("SELECT message_id, sender, recipient, ts, text");
            self.walk(&mut query, way, limit, offset);
            return query;
        }
        // The page's ids first: on SQLite a cross join keeps that order, on Postgres it is any join.
        query.sql("SELECT m.message_id, m.sender, m.recipient, m.ts, m.text FROM (SELECT message_id AS id");
        self.walk(&mut query, way, limit, offset);
        query.sql(
            ") AS page CROSS JOIN message m WHERE m.message_id = page.id ORDER BY m.ts_key, m.message_id",
        );
        query
    }

    fn walk(&self, query: &mut SqlBuilder, way: Way, limit: i64, offset: i64) {
        query.sql(" FROM message");
        self.narrow(query);
        query.sql(match (way, &self.from) {
            // No index has this order, so none is walked for its sake.
            (Way::Sift, _) => " ORDER BY ts_key || '', message_id",
            (_, Some(_)) => " ORDER BY sender, ts_key, message_id",
            (_, None) => " ORDER BY ts_key, message_id",
        });
        query.sql(" LIMIT ").number(limit).sql(" OFFSET ").number(offset);
    }

    fn narrow(&self, query: &mut SqlBuilder) {
        query.sql(" WHERE 1 = 1");
        let since = self.since_key.as_deref();
        match (&self.from, since) {
            // A range of the index by sender, written so that Postgres cannot mean to do better by the one in the order
            // of time: that would walk over everybody's messages where the sender's are all late ones.
            (Some(from), _) => {
                query.sql(" AND (sender, ts_key) >= (").text(from).sql(", ").text(since.unwrap_or_default());
                query.sql(") AND sender <= ").text(from);
            }
            (None, Some(since)) => {
                query.sql(" AND ts_key >= ").text(since);
            }
            (None, None) => {}
        }
        if let Some(part) = &self.contains {
            query.sql(" AND ").contains("coalesce(folded, text)", part);
        }
    }
}

/// The statistics: a row of [`Stats`] for each of the busiest senders, busiest first, or one row without any.
#[must_use]
pub fn stats() -> SqlBuilder {
    const ALL: &str = "SELECT t.messages, t.senders,
            (SELECT ts FROM message ORDER BY ts_key, message_id LIMIT 1) AS first_ts,
            (SELECT ts FROM message ORDER BY ts_key DESC, message_id DESC LIMIT 1) AS last_ts,
            s.sender, s.messages AS from_sender
        FROM (SELECT CAST(sum(messages) AS bigint) AS messages, CAST(sum(senders) AS bigint) AS senders
              FROM message_total) AS t
        LEFT JOIN (SELECT sender, messages FROM message_sender ORDER BY messages DESC, sender LIMIT ";
    let mut query = SqlBuilder::default();
    query.sql(ALL).number(TOP_SENDERS).sql(") AS s ON 1 = 1 ORDER BY s.messages DESC, s.sender");
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_walked_and_what_is_rare_is_sifted() {
        let all = Filter::default();
        assert_eq!(all.way(1_000_000, 50, WALKED), Way::Walk);
        assert_eq!(all.way(1_000_000, 50, WALKED + 1), Way::Keys);
        let some = Filter { contains: Some("x".into()), ..Filter::default() };
        assert_eq!(some.way(50 * RARE, 50, 0), Way::Sift);
        assert_eq!(some.way(50 * RARE + 1, 50, 0), Way::Keys, "common enough to be met soon");
        assert_eq!(some.way(SIFTED, 50, i64::MAX), Way::Sift);
        assert_eq!(some.way(SIFTED + 1, 50, i64::MAX), Way::Keys);
    }
}
