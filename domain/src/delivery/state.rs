//! The five states of a delivery and the table of allowed transitions.

use std::{fmt, str::FromStr};

use crate::string_enum::string_enum;

string_enum! {
    /// The stored state of a delivery. `held` is derived: a pending delivery whose lane is not active.
    DeliveryState {
        /// Waiting for its due time, or for a worker.
        Pending = "pending",
        /// A worker holds a live lease on it.
        Sending = "sending",
        /// A recipient accepted it. Final.
        Succeeded = "succeeded",
        /// Failed permanently, with a reason. Only a manual retry leaves this state.
        Dead = "dead",
        /// Cancelled. Only a manual retry leaves this state.
        Cancelled = "cancelled",
    }
}

impl DeliveryState {
    /// Whether a delivery may go from this state to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use DeliveryState::{Cancelled, Dead, Pending, Sending, Succeeded};
        match self {
            // Claimed; cancelled manually; dead without a send (held too long, schedule passed while the lane was down).
            Pending => matches!(next, Sending | Cancelled | Dead),
            // Recorded, or the lease was released or lost. Never cancelled: the request may be in flight.
            Sending => matches!(next, Succeeded | Dead | Pending),
            // Retried manually.
            Dead | Cancelled => matches!(next, Pending),
            Succeeded => false,
        }
    }

    /// Whether the state is final unless a user acts.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Dead | Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::DeliveryState::{self, Cancelled, Dead, Pending, Sending, Succeeded};

    const ALLOWED: &[(DeliveryState, DeliveryState)] = &[
        (Pending, Sending),
        (Pending, Cancelled),
        (Pending, Dead),
        (Sending, Succeeded),
        (Sending, Dead),
        (Sending, Pending),
        (Dead, Pending),
        (Cancelled, Pending),
    ];

    #[test]
    fn exactly_the_listed_moves_are_allowed() {
        for &from in DeliveryState::ALL {
            for &to in DeliveryState::ALL {
                assert_eq!(from.may_become(to), ALLOWED.contains(&(from, to)), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn every_state_is_read_back_from_its_word() {
        for &state in DeliveryState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("held".parse::<DeliveryState>().is_err(), "held is derived, never stored");
    }
}
