//! Name resolution by the system, one lookup a name at a time, on threads of its own.
//! Keeps no addresses: what is under way is shared, what is done is forgotten.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, ToSocketAddrs as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};
use tokio::sync::oneshot;

use super::{places::Places, shortage};

/// Stack of a thread that asks the system, in bytes. Its modules (mDNS, LDAP) want more than they say.
const STACK: usize = 512 * 1_024;

/// What a lookup came to: addresses, or why there are none.
pub(super) type Found = Result<Arc<[IpAddr]>, Unresolved>;

/// The name did not resolve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unresolved {
    message: Arc<str>,
    is_local_shortage: bool,
}

impl Unresolved {
    /// Whether it was not the name's fault: no descriptor, memory or thread was left, or too many names were being resolved.
    #[must_use]
    pub const fn is_local_shortage(&self) -> bool {
        self.is_local_shortage
    }

    fn name(message: &str) -> Self {
        Self { message: message.into(), is_local_shortage: false }
    }

    fn local_shortage(message: &str) -> Self {
        Self { message: message.into(), is_local_shortage: true }
    }
}

type Lookup = Shared<BoxFuture<'static, Found>>;
type UnderWay = HashMap<Box<str>, WeakShared<BoxFuture<'static, Found>>>;

/// Lookups under way, by name. A burst of sends to one new name costs one lookup, not a thread each.
#[derive(Clone, Default)]
pub(super) struct Lookups {
    under_way: Arc<Mutex<UnderWay>>,
    places: Arc<Places>,
}

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
        let lookup = ask_system(self.places.clone(), name.to_owned()).boxed().shared();
        let weak = lookup.downgrade().expect("not polled yet");
        under_way.insert(name.into(), weak);
        lookup
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Asks on a thread that lives as long as the question: a caller who leaves does not end it.
async fn ask_system(places: Arc<Places>, name: String) -> Found {
    let place = places.take(&name).await.ok_or_else(|| {
        Unresolved::local_shortage("too many names are being resolved; the system takes long to answer")
    })?;
    let (answer, found) = oneshot::channel();
    let question = move || {
        let found = resolve(&name);
        if found.is_ok() {
            places.remember(&name);
        }
        drop(place);
        // The caller may have left.
        let _ = answer.send(found);
    };
    let thread = thread::Builder::new().name("resolve".to_owned()).stack_size(STACK).spawn(question);
    thread.map_err(|error| Unresolved::local_shortage(&format!("no thread could be started: {error}")))?;
    found.await.unwrap_or_else(|_| Err(Unresolved::local_shortage("a lookup broke")))
}

fn resolve(name: &str) -> Found {
    let found = (name, 0).to_socket_addrs().map_err(|error| unresolved(&error))?;
    let addresses: Arc<[IpAddr]> = found.map(|address| address.ip()).collect();
    if addresses.is_empty() { Err(Unresolved::name("the name has no address")) } else { Ok(addresses) }
}

fn unresolved(error: &io::Error) -> Unresolved {
    match shortage::behind_lookup(error) {
        Some(shortage) => Unresolved::local_shortage(&shortage.to_string()),
        None => Unresolved::name(&error.to_string()),
    }
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
