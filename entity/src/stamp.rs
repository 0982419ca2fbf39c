//! When rows are inserted, and the lease that some of them begin with.

/// When rows are written, in ms: what time it is and how long what is leased is leased.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// SQLite: now. Postgres: an offset that is added to the server's clock (zero outside tests).
    pub now_or_offset: i64,
    /// How long a lease lasts.
    pub lease: i64,
}

/// The claim of a row that is inserted with a lease.
pub const FIRST_CLAIM: i32 = 1;

impl Stamp {
    /// On SQLite: until when a new row is leased; 0 when it is not.
    pub(crate) const fn lease_until(self, leased: bool) -> i64 {
        if leased { self.now_or_offset + self.lease } else { 0 }
    }
}
