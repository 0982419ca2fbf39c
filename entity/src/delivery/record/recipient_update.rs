//! The update of a recipient after a send.

use domain::clock::Millis;
use uuid::Uuid;

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
