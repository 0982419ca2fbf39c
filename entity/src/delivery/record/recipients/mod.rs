//! What sends say of their recipients: who has left, and how much of a message is out. Both are true whichever
//! worker has the delivery by now, so no fence holds them.

mod postgres;
mod sqlite;

use domain::{
    clock::Millis,
    delivery::{Channel, NextStep},
};
use uuid::Uuid;

use super::SendResultRow;

pub(super) use self::{
    postgres::update_recipients as update_on_postgres, sqlite::update_recipients as update_on_sqlite,
};

/// What a send says of its recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecipientUpdate {
    /// Its push subscription or subscriber; none where it has no row of its own.
    pub id: Option<Uuid>,
    /// It has left: when the send started that showed it, by the database's clock. A recipient that was registered again
    /// after that stays.
    pub left_at: Option<Millis>,
    /// A delivery to this subscription is dead, and no message had reached it when it was claimed.
    pub given_up: Option<GivenUp>,
    /// A message reached this subscription, and none had before.
    pub reached_at: Option<Millis>,
    /// Parts of the message that are out, in all.
    pub parts_sent: u16,
}

/// A delivery to a subscription that no message has reached is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// When the last send started, by the database's clock.
    pub at: Millis,
    /// Its push service refused it. Then the subscription is forgotten only if the service has never taken a message: a
    /// service that has may refuse for a fault of ours.
    pub refused: bool,
}

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
