//! What sends say of their recipients: who has left, and how much of a message is out. Both are true whichever
//! worker has the delivery by now, so no fence holds them.

mod postgres;
mod sqlite;

use domain::delivery::{Channel, NextStep};
use uuid::Uuid;

use super::{SendResultRow, recipient_update::GivenUp};

pub(super) use self::{
    postgres::update_recipients as update_on_postgres, sqlite::update_recipients as update_on_sqlite,
};

/// A row, and a number that belongs to it.
type Row = (Uuid, i64);

/// Who has left a channel, each once, in the order that every recorder keeps.
fn left(rows: &[SendResultRow], channel: Channel) -> Vec<Row> {
    let theirs = rows.iter().filter(|one| one.delivery.channel == channel.as_str());
    let left = theirs.filter_map(|one| Some((one.recipient.id?, one.recipient.left_at?.0)));
    newest(left.collect())
}

/// Subscriptions with a dead delivery that no message had reached, each once.
fn given_up(rows: &[SendResultRow]) -> Vec<(Uuid, GivenUp)> {
    let given_up = rows.iter().filter_map(|one| Some((one.recipient.id?, one.recipient.given_up?)));
    let mut given_up: Vec<_> = given_up.collect();
    given_up.sort_unstable_by_key(|(id, given_up)| (*id, given_up.refused));
    given_up.dedup_by_key(|(id, _)| *id);
    given_up
}

/// Which subscriptions were reached for the first time, each once.
fn reached(rows: &[SendResultRow]) -> Vec<Row> {
    let reached = rows.iter().filter_map(|one| Some((one.recipient.id?, one.recipient.reached_at?.0)));
    newest(reached.collect())
}

/// How much is out of messages that are not out as a whole.
fn progress(rows: &[SendResultRow]) -> Vec<Row> {
    let partly = rows.iter().filter(|one| one.recipient.parts_sent > 0 && one.next != NextStep::Succeed);
    newest(partly.map(|one| (one.delivery.id().0, i64::from(one.recipient.parts_sent))).collect())
}

/// Each row once, with its greatest number.
fn newest(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then(y.cmp(x)));
    rows.dedup_by_key(|(id, _)| *id);
    rows
}
