//! Waiting for room: until a claim is worth its while.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Backlogs, Slots, parked::Parked};

/// How long a lane that has a little room waits for more: sends end one by one, and a claim of few costs as much as one of many.
pub(super) const LINGER: Duration = Duration::from_millis(5);

/// Waits until something has been parked too long, or something may be claimed: a lane with a backlog or one of which
/// something is parked has much room, or the latter has had some for a moment. Since when is kept: whoever asks again does
/// not wait anew.
pub(super) async fn may_go(
    parked: &Parked,
    slots: &Slots,
    backlogs: &Backlogs,
    room_since: &mut Option<Instant>,
) {
    loop {
        let (share, now) = (slots.share(0), Instant::now());
        if parked.has_much_room(&share) || backlogs.have_room(&share, now) {
            return;
        }
        let lingers_until = parked.has_room(&share).then(|| *room_since.get_or_insert(now) + LINGER);
        let over = [lingers_until, parked.deadline()].into_iter().flatten().min();
        if over.is_some_and(|over| over <= now) {
            return;
        }
        // One wait for both: a slot that comes free wakes one waiter.
        tokio::select! {
            () = slots.freed() => {}
            () = backlogs.changed(now) => {}
            () = at(over) => {}
        }
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
