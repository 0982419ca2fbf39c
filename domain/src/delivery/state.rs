//! The five states of a delivery and the table of allowed moves.

use std::{fmt, str::FromStr};

use crate::words::words;

words! {
    /// Where a delivery stands. `held` is not among them: it is what a pending one is called while its lane is not active.
    DeliveryState {
        /// Waits for its due time, or for a worker.
        Pending = "pending",
        /// A worker holds a live lease on it.
        Sending = "sending",
        /// A recipient accepted it. Final.
        Succeeded = "succeeded",
        /// Given up on, with a reason. Left only by hand.
        Dead = "dead",
        /// Called off by its owner. Left only by hand.
        Cancelled = "cancelled",
    }
}

impl DeliveryState {
    /// Whether a delivery may go from this state to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use DeliveryState::{Cancelled, Dead, Pending, Sending, Succeeded};
        match self {
            // Claimed; cancelled by hand; buried unsent (held too long, schedule passed while the lane was down).
            Pending => matches!(next, Sending | Cancelled | Dead),
            // Recorded, or the lease given back or lost. Never cancelled: the request may be on the wire.
            Sending => matches!(next, Succeeded | Dead | Pending),
            // Tried again by hand.
            Dead | Cancelled => matches!(next, Pending),
            Succeeded => false,
        }
    }

    /// Whether nothing more happens by itself.
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
