//! Adds new messages to the counts, within the caller's transaction and last in it: the counts' rows are what many
//! transactions want, and they are locked until the commit.

mod postgres;
mod sqlite;

use std::collections::BTreeMap;

use platform::database::{DatabaseError, Tx};

use crate::message::insert::MessageRow;

/// Rows of `message_total`; a transaction takes one of them.
pub const SHARDS: u8 = 16;

/// What the counts grow by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth<'a> {
    /// New messages by sender, in the order that every process keeps.
    pub by_sender: BTreeMap<&'a str, i64>,
    /// The row of `message_total` that grows.
    pub shard: i16,
}

impl<'a> Growth<'a> {
    /// By these new messages; none when there are none.
    #[must_use]
    pub fn of(new: impl Iterator<Item = &'a MessageRow>) -> Option<Self> {
        let (mut by_sender, mut any) = (BTreeMap::new(), None);
        for row in new {
            *by_sender.entry(row.message.from.as_str()).or_default() += 1;
            any = Some(row.event_id);
        }
        // The last byte of an id is random.
        any.map(|id| Self { by_sender, shard: i16::from(id.0.as_bytes()[15] % SHARDS) })
    }

    fn messages(&self) -> i64 {
        self.by_sender.values().sum()
    }

    /// How many of the senders are new, by what their counts are now: a sender who was there had at least one message.
    fn new_senders(&self, now: &[(String, i64)]) -> i64 {
        let new = now.iter().filter(|(sender, count)| self.by_sender.get(sender.as_str()) == Some(count));
        i64::try_from(new.count()).unwrap_or(i64::MAX)
    }
}

/// Adds new messages to the counts of their senders and to one row of the total.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn grow(tx: &mut Tx, growth: &Growth<'_>) -> Result<(), DatabaseError> {
    match tx {
        Tx::Postgres(tx) => postgres::grow(tx, growth).await?,
        Tx::Sqlite(tx) => sqlite::grow(tx, growth).await?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{id::EventId, message::Message};

    use super::*;

    fn row(from: &str) -> MessageRow {
        let body = format!(r#"{{"message_id":"m","from":"{from}","to":"+1","ts":"2025-01-15T10:00:00Z"}}"#);
        let message = Arc::new(Message::parse(body.as_bytes()).expect("valid"));
        MessageRow { message, folded: None, event_id: EventId::new() }
    }

    #[test]
    fn counts_grow_by_what_is_new() {
        assert_eq!(Growth::of([].into_iter()), None);
        let rows = ["+2", "+1", "+2"].map(row);
        let growth = Growth::of(rows.iter()).expect("three");
        assert_eq!(growth.by_sender, BTreeMap::from([("+1", 1), ("+2", 2)]));
        assert_eq!(growth.messages(), 3);
        assert!((0..i16::from(SHARDS)).contains(&growth.shard));
        let now = |one, two| [("+1".to_owned(), one), ("+2".to_owned(), two)];
        assert_eq!(growth.new_senders(&now(1, 2)), 2);
        assert_eq!(growth.new_senders(&now(2, 2)), 1);
        assert_eq!(growth.new_senders(&now(2, 3)), 0);
    }
}
