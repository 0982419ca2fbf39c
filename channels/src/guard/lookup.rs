//! Name resolution by the system, one lookup a name at a time.
//! Remembers nothing: what is under way is shared, what is done is forgotten.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};

/// What a lookup came to: addresses, or why there are none.
pub(super) type Found = Result<Arc<[IpAddr]>, Unresolved>;

/// The name did not resolve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unresolved(Arc<str>);

type Lookup = Shared<BoxFuture<'static, Found>>;
type UnderWay = HashMap<Box<str>, WeakShared<BoxFuture<'static, Found>>>;

/// Lookups under way, by name. A burst of sends to one new name costs one lookup, not a thread each.
#[derive(Clone, Default)]
pub(super) struct Lookups(Arc<Mutex<UnderWay>>);

impl Lookups {
    /// The addresses of `name`, never an empty list.
    pub(super) async fn find(&self, name: &str) -> Found {
        let waiter = Waiter { lookups: self, name, lookup: Some(self.join_or_start(name)) };
        waiter.lookup.clone().expect("taken on drop only").await
    }

    fn join_or_start(&self, name: &str) -> Lookup {
        let mut under_way = self.under_way();
        let running = under_way.get(name).and_then(WeakShared::upgrade);
        if let Some(lookup) = running.filter(|lookup| lookup.peek().is_none()) {
            return lookup;
        }
        let lookup = ask_system(name.to_owned()).boxed().shared();
        let weak = lookup.downgrade().expect("not polled yet");
        under_way.insert(name.into(), weak);
        lookup
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that waits for a lookup. The last to leave, with or without an answer, takes the entry away.
struct Waiter<'a> {
    lookups: &'a Lookups,
    name: &'a str,
    lookup: Option<Lookup>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut under_way = self.lookups.under_way();
        self.lookup = None;
        let running = under_way.get(self.name).and_then(WeakShared::upgrade);
        if running.is_none_or(|lookup| lookup.peek().is_some()) {
            under_way.remove(self.name);
        }
    }
}

async fn ask_system(name: String) -> Found {
    let found =
        tokio::net::lookup_host((name, 0)).await.map_err(|error| Unresolved(error.to_string().into()))?;
    let addresses: Arc<[IpAddr]> = found.map(|address| address.ip()).collect();
    if addresses.is_empty() { Err(Unresolved("the name has no address".into())) } else { Ok(addresses) }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookups")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_stays_behind_whether_waiters_leave_early_or_late() {
        let lookups = Lookups::default();
        lookups.find("localhost").await.expect("resolves");
        assert!(lookups.under_way().is_empty());
        {
            let mut early = Box::pin(lookups.find("localhost"));
            // The system may answer before the first poll returns: then there is nothing left to leave.
            let pending = futures_util::poll!(early.as_mut()).is_pending();
            assert_eq!(lookups.under_way().len(), usize::from(pending));
        }
        assert!(lookups.under_way().is_empty());
    }
}
