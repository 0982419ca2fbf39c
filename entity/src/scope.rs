//! Whose rows a query may read.

use domain::id::UserId;
use sea_orm::{ColumnTrait, Condition};

/// Whose rows a caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of all users and those without a user: for administrators.
    Everyone,
    /// One user's.
    User(UserId),
}

impl Scope {
    /// Whether things of `user` are within it.
    #[must_use]
    pub fn covers(self, user: UserId) -> bool {
        match self {
            Self::Everyone => true,
            Self::User(own) => own == user,
        }
    }

    /// The condition that keeps other users' rows out.
    #[must_use]
    pub fn of(self, user_id: impl ColumnTrait) -> Condition {
        match self {
            Self::Everyone => Condition::all(),
            Self::User(UserId(id)) => Condition::all().add(user_id.eq(id)),
        }
    }
}
